//! One CPU: the names of the SMP module without anybody to signal.

/// Nobody sends any.
pub fn sgi_interrupt(_n: u32) {}
