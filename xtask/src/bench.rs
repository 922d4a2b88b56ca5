//! Figures of a boot: counted instructions, sizes, build times.

pub mod boot;
pub mod builds;
pub mod counter;
pub mod figures;
pub mod linux;
pub mod report;
pub mod stop;
