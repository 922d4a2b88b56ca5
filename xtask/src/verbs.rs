//! One file per verb.

pub mod build;
pub mod qemu;
