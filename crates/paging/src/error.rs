//! Why a mapping cannot be made or changed.

use core::{error::Error, fmt};

use crate::Translation;

/// Why a mapping cannot be made or changed. Nothing was, when a call returns this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// Not a multiple of the page size: a virtual or physical address or a length.
    Misaligned {
        /// The value.
        value: u64,
    },
    /// The range is not one the tables can translate: an end of it lies outside, or it wraps around.
    OutsideSpace {
        /// Its first address.
        va: u64,
    },
    /// Entries of this format, on this CPU, cannot hold the physical address.
    PhysTooHigh {
        /// First address of the physical range, or of a table.
        pa: u64,
    },
    /// A mapping would be both writable and executable.
    WriteExec,
    /// The range is in use.
    AlreadyMapped {
        /// The first address of it that is.
        va: u64,
        /// What is there.
        old: Translation,
    },
    /// Nothing is mapped where something shall be changed.
    NotMapped {
        /// The first such address.
        va: u64,
    },
    /// There is no memory for a table.
    NoTableMemory,
    /// A root table does not have these slots.
    NoSuchSlots,
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misaligned { value } => write!(f, "{value:#x} is not a multiple of the page size"),
            Self::OutsideSpace { va } => write!(f, "the range at {va:#x} is outside the address space"),
            Self::PhysTooHigh { pa } => write!(f, "physical address {pa:#x} is too high for the page tables"),
            Self::WriteExec => f.write_str("a page cannot be both writable and executable"),
            Self::AlreadyMapped { va, old } => write!(f, "{va:#x} is already mapped, to {:#x}", old.pa),
            Self::NotMapped { va } => write!(f, "nothing is mapped at {va:#x}"),
            Self::NoTableMemory => f.write_str("no memory for a page table"),
            Self::NoSuchSlots => f.write_str("the root table has no such slots"),
        }
    }
}

impl Error for MapError {}
