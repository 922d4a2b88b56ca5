//! One CPU: every thread's home is the CPU that wakes it.
#![expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's function of this name needs it"
)]

use crate::arch::Arch;
use crate::cpu::CpuId;

/// There is no other CPU to wake.
pub(super) fn kick<A: Arch>(_cpu: CpuId) {}
