//! Device trees (Devicetree Specification 0.4) for QEMU's `virt` machine with a GICv3, four CPUs and 256 MiB, as a loader
//! would hand them over.

mod kinds;
mod parts;
mod stub;

use std::ops::Range;

pub use kinds::kinds;
pub use parts::Parts;
pub use stub::stub;

use crate::Random;

/// Where the blob is to lie.
pub const BLOB_AT: u64 = 0x4800_0000;
/// Where the kernel's image is to lie.
pub const IMAGE_AT: u64 = 0x4020_0000;
/// Where the stub is to lie that jumps to the one with the other.
pub const STUB_AT: u64 = 0x47f0_0000;

/// A tree with something odd in it, and what a kernel must make of it.
#[derive(Clone, Debug)]
pub struct Odd {
    /// The blob.
    pub blob: Vec<u8>,
    /// Why it is refused as a whole.
    pub error: Option<&'static str>,
    /// Affinities of the CPUs that may be started, ascending.
    pub cpus: Vec<u64>,
    /// CPUs that are not there for lack of an id of their own.
    pub bad: u32,
    /// CPUs that firmware has turned off.
    pub disabled: u32,
    /// RAM that is free.
    pub free: Vec<Range<u64>>,
    /// What is not to be given out.
    pub held: Vec<Range<u64>>,
    /// The frequency that the tree corrects.
    pub frequency: Option<u64>,
    /// Where the interrupt controller's distributor is.
    pub gic: Option<u64>,
    /// Where the console is.
    pub console: Option<u64>,
}

/// A kind of oddity: what it makes of a usual tree.
pub type Kind = (&'static str, fn(&mut Random, Parts) -> Odd);

/// The kind of this name, by this seed, with this command line for the kernel.
#[must_use]
pub fn odd(name: &str, seed: u64, bootargs: &str) -> Option<Odd> {
    let (name, make) = kinds().find(|(kind, _)| *kind == name)?;
    Some(make(&mut Random::new(seed, name), Parts::usual(bootargs)))
}
