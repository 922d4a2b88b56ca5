//! Firmware tables with something odd in them, as firmware writes them every day, and what is the right answer to each.
//!
//! A kind of oddity has a name; where it strikes and what exactly stands there comes from a seed. The readers' own tests take
//! all of them with many seeds, and the matrix a few of them to real machines.

pub mod acpi;
pub mod pvh;
mod random;

pub use random::{Random, SEED, seed};
pub mod tree;
