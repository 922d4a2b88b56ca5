//! The executing CPU's name, and its data cache.

use core::arch::asm;

use aarch64_cpu::registers::MPIDR_EL1;
use tock_registers::interfaces::Readable;

/// The affinity fields of MPIDR_EL1, as the device tree's `reg` of a CPU and PSCI's `target_cpu` give them: Aff3 in
/// bits 39:32, Aff2 to Aff0 in 23:0.
pub fn mpidr_affinity() -> u64 {
    MPIDR_EL1.get() & 0xff_00ff_ffff
}

/// Writes `len` bytes at `va` back to memory (to the point of coherency), for whoever reads them past the caches.
pub fn write_back(va: usize, len: usize) {
    /// No cache line is shorter.
    const LINE: usize = 16;
    for line in (va..va + len).step_by(LINE) {
        // SAFETY: writes back what is there already.
        unsafe { asm!("dc cvac, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY: waits until it is there.
    unsafe { asm!("dsb sy", options(nostack, preserves_flags)) };
}
