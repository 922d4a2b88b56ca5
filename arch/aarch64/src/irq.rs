//! Interrupts of the executing CPU, and what each is for.

use aarch64_cpu::asm::{barrier, wfi};
use aarch64_cpu::registers::DAIF;
use core::arch::asm;
use kernel::arch::IrqOps;
use kernel::platform::Platform;
use tock_registers::interfaces::Readable;

use crate::exceptions::Frame;
use crate::gic::{self, sgi};
use crate::{Aarch64, console, percpu, smp, timer};

impl IrqOps for Aarch64 {
    #[inline(always)]
    fn irq_save() -> bool {
        let was_on = !DAIF.is_set(DAIF::I);
        // SAFETY: masking interrupts is always sound. A compiler barrier: what follows stays behind it.
        unsafe { asm!("msr daifset, #2", options(nostack, preserves_flags)) };
        was_on
    }

    #[inline(always)]
    fn irq_restore(was_on: bool) {
        if was_on {
            Self::irq_enable();
        }
    }

    #[inline(always)]
    fn irq_enable() {
        // SError too (A), which every exception masks and only its return would open: a thread that was switched to in
        // a handler may never see that return.
        // SAFETY: the vectors are in place from entry on; a compiler barrier: what came before is done.
        unsafe { asm!("msr daifclr, #6", options(nostack, preserves_flags)) };
    }

    /// A masked interrupt ends WFI too (Arm ARM D1.6.2), so nothing is lost between looking and waiting.
    fn wait_for_interrupt() {
        barrier::dsb(barrier::SY);
        wfi();
        Self::irq_enable();
        // Pending interrupts are taken here at the latest.
        barrier::isb(barrier::SY);
        Self::irq_save();
    }

    fn init_irqs(_platform: &Platform) -> Result<(), &'static str> {
        gic::init()
    }
}

/// Called by the vectors with interrupts off.
#[unsafe(no_mangle)]
extern "C" fn handle_irq(frame: &mut Frame) {
    frame.pc = percpu::restart_load(frame.pc);
    // None is an interrupt that went away before it was looked at.
    let Some(irq) = gic::acknowledge() else { return };
    dispatch(irq.intid());
    gic::end(irq);
    kernel::sched::preempt_on_irq_exit::<Aarch64>();
}

fn dispatch(intid: u32) {
    if intid < sgi::COUNT {
        smp::sgi_interrupt(intid);
    } else if intid == timer::intid() {
        timer::silence();
        kernel::irq::timer_interrupt::<Aarch64>();
    } else if console::is_interrupt(intid) {
        console::rx_interrupt();
    }
    // Nothing else was ever turned on.
}
