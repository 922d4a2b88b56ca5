//! One CPU: the names of the SMP build's module without anybody to hear from.

use kernel::arch::Arch;
use kernel::mm::EarlyRam;

use crate::trap::Frame;

/// No room is needed for a trampoline.
pub(crate) fn reserve(_ram: &mut EarlyRam<'_>) {}

/// No vector is another CPU's.
#[expect(clippy::extra_unused_type_parameters, reason = "called as in the SMP build")]
pub(crate) fn interrupt<A: Arch>(_vector: u8, _frame: &impl Frame) -> bool {
    false
}

/// Nor is an NMI.
pub(crate) fn nmi<A: Arch>(_frame: &impl Frame) {}
