//! MADTs (ACPI 6.5, 5.2.12) for a machine of four CPUs with APIC ids 0 to 3.

mod entries;
mod files;
mod kinds;

pub use files::{Files, files};
pub use kinds::KINDS;

use crate::Random;

/// Tables with something odd in them, and what a kernel must make of them.
#[derive(Clone, Debug)]
pub struct Odd {
    /// Whole tables, which a root table leads to in this order.
    pub tables: Vec<Vec<u8>>,
    /// Hardware ids of the CPUs that may be started, in the order listed.
    pub cpus: Vec<u64>,
    /// What must be said: each in a line of its own, once.
    pub says: Vec<&'static str>,
    /// Whether it must be said that there may be CPUs which are not known.
    pub unknown: bool,
}

/// A kind of oddity.
pub type Kind = (&'static str, fn(&mut Random) -> Odd);

/// The kind of this name, by this seed.
#[must_use]
pub fn odd(name: &str, seed: u64) -> Option<Odd> {
    let (name, make) = KINDS.iter().find(|(kind, _)| *kind == name)?;
    Some(make(&mut Random::new(seed, name)))
}
