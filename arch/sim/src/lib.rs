//! A machine on the host, for the stop engine to stop.
#![expect(
    missing_docs,
    reason = "nobody but this crate's own binary and tests uses it; what matters is documented"
)]

pub mod campaign;
pub mod check;
pub mod cpu;
pub mod fiber;
pub mod ops;
pub mod plan;
mod program;
pub mod random;
pub mod world;
