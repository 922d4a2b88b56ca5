//! Interrupts off and on by `PSTATE.I`, which holds back all of them.

use core::arch::asm;

use aarch64_cpu::asm::{barrier, wfi};
use aarch64_cpu::registers::DAIF;
use tock_registers::interfaces::Readable;

/// Turns them off; whether they were on.
#[inline(always)]
pub fn save() -> bool {
    let was_on = !are_off();
    // SAFETY: masking interrupts is always sound. A compiler barrier: what follows stays behind it.
    unsafe { asm!("msr daifset, #2", options(nostack, preserves_flags)) };
    was_on
}

/// Whether they are off.
#[inline(always)]
pub fn are_off() -> bool {
    DAIF.is_set(DAIF::I)
}

/// Whether one is signalled to this CPU, taken or not: `ISR_EL1.I`.
pub fn is_signalled() -> bool {
    let isr: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, isr_el1", out(reg) isr, options(nomem, nostack, preserves_flags)) };
    isr & 1 << 7 != 0
}

/// Turns them on.
#[inline(always)]
pub fn enable() {
    // SError too (A), which every exception masks and only its return would open: a thread that was switched to in
    // a handler may never see that return.
    // SAFETY: the vectors are in place from entry on; a compiler barrier: what came before is done.
    unsafe { asm!("msr daifclr, #6", options(nostack, preserves_flags)) };
}

/// See [`kernel::arch::IrqOps::wait_for_interrupt`]. A masked interrupt ends WFI too (Arm ARM D1.6.2), so nothing is lost
/// between looking and waiting.
pub fn wait() {
    barrier::dsb(barrier::SY);
    wfi();
    enable();
    // Pending interrupts are taken here at the latest.
    barrier::isb(barrier::SY);
    save();
}

/// Runs `f` with all of them off.
#[cfg(not(feature = "smp"))]
pub fn swapped(f: impl FnOnce()) {
    f();
}

/// An interrupt was taken: they are off already.
#[cfg(not(feature = "smp"))]
pub fn enter_handler() {}

/// It is over, and they come on with the return from it.
#[cfg(not(feature = "smp"))]
pub fn leave_handler() {}

/// The controller is set up.
#[cfg(not(feature = "smp"))]
pub fn choose() {}
