//! The executing CPU's name.

use aarch64_cpu::registers::MPIDR_EL1;
use tock_registers::interfaces::Readable;

/// The affinity fields of MPIDR_EL1, as the device tree's `reg` of a CPU and PSCI's `target_cpu` give them: Aff3 in
/// bits 39:32, Aff2 to Aff0 in 23:0.
pub fn mpidr_affinity() -> u64 {
    MPIDR_EL1.get() & 0xff_00ff_ffff
}
