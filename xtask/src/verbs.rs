//! One file per verb.

pub mod bench;
pub mod build;
pub mod check;
pub mod core;
pub mod docs;
pub mod doctor;
pub mod gdb;
pub mod image;
pub mod machine;
pub mod matrix;
pub mod open;
pub mod qemu;
pub mod report;
pub mod scenario;
pub mod soak;
pub mod test;
