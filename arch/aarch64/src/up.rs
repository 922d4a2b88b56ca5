//! One CPU: the names of the SMP module without anybody to signal.

pub(crate) use crate::daif as masking;
use crate::exceptions::Frame;

/// Nobody sends any.
pub fn sgi_interrupt(_n: u32) {}

/// Nobody sends stop signals either.
pub fn is_stop(_n: u32) -> bool {
    false
}

/// So none is answered.
pub fn stop_interrupt(_n: u32, _frame: &Frame) {}

/// How a stopped CPU leaves: not at all, the machine would be gone.
pub fn leave() -> u64 {
    0
}
