//! One file per verb.

pub mod build;
pub mod matrix;
pub mod qemu;
