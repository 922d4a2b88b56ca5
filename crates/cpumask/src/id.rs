//! The number of a CPU, and the error for one that does not fit.

use core::{error::Error, fmt};

/// The kernel's number of a CPU: dense, 0 for the one that booted.
///
/// Any `u32` is a valid value; whether such a CPU exists is for a mask to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct CpuId(u32);

impl CpuId {
    /// The CPU the machine was booted on.
    pub const BOOT: Self = Self(0);

    /// The CPU with the given number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// The number as an index. Use it with `get`, not with `[]`, unless a mask has vouched for the id.
    pub const fn as_usize(self) -> usize {
        // Lossless: no target of this crate has pointers below 32 bits (checked in `mask.rs`).
        self.0 as usize
    }
}

impl From<u32> for CpuId {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for CpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A mask has no room for this CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// The CPU that was to be added.
    pub cpu: CpuId,
    /// How many CPUs the mask holds; the largest id it takes is one less.
    pub capacity: u32,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CPU {} does not fit a mask of {}", self.cpu, self.capacity)
    }
}

impl Error for OutOfRange {}
