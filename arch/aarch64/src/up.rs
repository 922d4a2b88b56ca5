//! One CPU: the names of the SMP module without anybody to signal.

pub(crate) use crate::daif as masking;
use crate::exceptions::Frame;

/// Nobody sends any.
pub fn sgi_interrupt(_n: u32) {}

/// Nobody sends stop signals either.
pub fn stop_interrupt(_n: u32, _frame: &Frame) -> bool {
    false
}

/// How a stopped CPU leaves: not at all, the machine would be gone.
pub fn leave() -> u64 {
    0
}
