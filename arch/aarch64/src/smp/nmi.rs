//! FEAT_NMI of the executing CPU (Arm ARM D1.3.5, "Non-maskable interrupts"): an interrupt with superpriority comes although
//! `PSTATE.I` is set, and `PSTATE.ALLINT` alone holds it back.
//!
//! `SCTLR_EL1.SPINTMASK` stays clear: so every exception sets `ALLINT`, and its return restores it.

use core::arch::asm;

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{ID_AA64PFR1_EL1, SCTLR_EL1};
use tock_registers::interfaces::{Readable, Writeable};

/// `SCTLR_EL1.NMI`.
const NMI: u64 = 1 << 61;

/// Whether this CPU has it: ID_AA64PFR1_EL1.NMI. If not, ALLINT is undefined.
pub fn is_implemented() -> bool {
    ID_AA64PFR1_EL1.get() >> 36 & 0xf != 0
}

/// From here on interrupts with superpriority come, once ALLINT is clear; it is set.
pub fn turn_on() {
    hold_back(true);
    SCTLR_EL1.set(SCTLR_EL1.get() | NMI);
    barrier::isb(barrier::SY);
}

/// As at entry: superpriority means nothing.
pub fn turn_off() {
    SCTLR_EL1.set(SCTLR_EL1.get() & !NMI);
    barrier::isb(barrier::SY);
}

/// PSTATE.ALLINT: whether everything is held back.
pub fn is_held_back() -> bool {
    let allint: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, s3_0_c4_c3_0", out(reg) allint, options(nomem, nostack, preserves_flags)) };
    allint != 0
}

/// Sets it. A compiler barrier.
#[inline(always)]
pub fn hold_back(all: bool) {
    /// ALLINT's place in PSTATE.
    const ALLINT: u64 = 1 << 13;
    let value = if all { ALLINT } else { 0 };
    // SAFETY: holding interrupts back is always sound; letting them come is, once the vectors are in place.
    unsafe { asm!("msr s3_0_c4_c3_0, {}", in(reg) value, options(nostack, preserves_flags)) };
}

/// Whether one is signalled to this CPU, taken or not: `ISR_EL1.IS`.
pub fn is_signalled() -> bool {
    let isr: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, isr_el1", out(reg) isr, options(nomem, nostack, preserves_flags)) };
    isr & 1 << 10 != 0
}
