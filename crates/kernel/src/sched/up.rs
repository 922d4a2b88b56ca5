//! One CPU: every thread's home is the CPU that wakes it.

use crate::arch::Arch;
use crate::cpu::CpuId;

/// There is no other CPU to wake.
pub(super) fn kick<A: Arch>(_cpu: CpuId) {}
