//! One CPU: the names of [`crate::smp`] without anybody to hear from.

use kernel::arch::Arch;

/// No vector is another CPU's.
pub(crate) fn interrupt<A: Arch>(_vector: u8) -> bool {
    false
}
