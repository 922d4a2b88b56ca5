//! Interrupts of the executing CPU, and what each is for.

use kernel::arch::IrqOps;

use crate::exceptions::Frame;
use crate::gic::{self, sgi};
use crate::smp::masking;
use crate::{Aarch64, console, percpu, smp, timer};

impl IrqOps for Aarch64 {
    #[inline(always)]
    fn irq_save() -> bool {
        masking::save()
    }

    #[inline(always)]
    fn irq_restore(was_on: bool) {
        if was_on {
            masking::enable();
        }
    }

    #[inline(always)]
    fn irq_enable() {
        masking::enable();
    }

    fn wait_for_interrupt() {
        masking::wait();
    }

    fn init_irqs() -> Result<(), &'static str> {
        gic::init()?;
        masking::choose();
        Ok(())
    }
}

/// Called by the vectors with `PSTATE.I` set. A stop signal may have come between any two instructions, with interrupts
/// off in every other sense: nothing but the engine is touched for it.
#[unsafe(no_mangle)]
extern "C" fn handle_irq(frame: &mut Frame) {
    // None is an interrupt that went away before it was looked at.
    let Some(irq) = gic::acknowledge() else { return };
    if smp::is_stop(irq.intid()) {
        // First: its handler does not come back, or stands by, and then only the timer's interrupt lets it sleep.
        gic::end(irq);
        smp::stop_interrupt(irq.intid(), frame);
    } else {
        handle_other(irq, frame);
    }
}

/// A call of its own, so that a stop need not save what it would overwrite.
#[inline(never)]
fn handle_other(irq: gic::Acknowledged, frame: &mut Frame) {
    frame.pc = percpu::restart_load(frame.pc);
    masking::enter_handler();
    dispatch(irq.intid());
    gic::end(irq);
    kernel::sched::preempt_on_irq_exit::<Aarch64>();
    masking::leave_handler();
}

fn dispatch(intid: u32) {
    if intid < sgi::COUNT {
        smp::sgi_interrupt(intid);
    } else if intid == timer::intid() {
        timer::silence();
        kernel::sched::timer_interrupt::<Aarch64>();
    } else if console::is_interrupt(intid) {
        console::rx_interrupt();
    }
    // Nothing else was ever turned on.
}
