//! Signals between CPUs, and a CPU that stops listening to them.

use core::sync::atomic::Ordering;

use aarch64_cpu::asm::barrier;

use super::{VERSION, v2, v3};

/// Silences the executing CPU's part, for a CPU that stops for good.
pub fn quiesce_cpu() {
    match VERSION.load(Ordering::Acquire) {
        2 => v2::smp::quiesce_cpu(),
        3 => v3::smp::quiesce_cpu(),
        _ => {}
    }
}

/// Sends a software generated interrupt to the CPU with these affinity fields. Lost if it is off.
pub fn send_sgi(mpidr: u64, sgi: u32) {
    // What was written for the receiver must be there before the signal is.
    barrier::dsb(barrier::ISHST);
    match VERSION.load(Ordering::Acquire) {
        2 => v2::smp::send_sgi(mpidr, sgi),
        3 => v3::smp::send_sgi(mpidr, sgi),
        _ => {}
    }
}
