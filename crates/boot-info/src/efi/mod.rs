//! What EFI firmware leaves behind: its memory map, its system table and what that leads to.
//!
//! UEFI specification 2.10. Layouts and numbers are checked against the crate `uefi-raw`, whose own structures are those of
//! the width they are compiled for and hold pointers; here both widths are read, out of bytes, because a table that
//! cannot be used is still to be named.

mod map;
mod runtime;
mod tables;
#[cfg(test)]
mod tests;

use core::fmt;

pub use map::{Descriptor, MAX_DESCRIPTORS, MemoryMap};
pub use runtime::{MAX_RUNTIME_REGIONS, RuntimeRegions};
pub(crate) use runtime::{all_memory, claims, rsdp, runtime_regions};
pub use tables::{ConfigurationTables, MemoryAttributes, RuntimeTable, Service, SystemTable, guids};
pub use uefi_raw::table::boot::{MemoryAttribute, MemoryType};
pub use uefi_raw::{Guid, guid};

/// Why something of the firmware's was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It lies where nothing can be read.
    NotMapped,
    /// The size of a descriptor is less than its fields need, no multiple of 8, or absurd.
    DescriptorSize,
    /// The map is empty, or absurdly long.
    MapSize,
    /// More regions for runtime services than are kept.
    TooManyRegions,
    /// Regions for runtime services that overlap.
    Overlap,
    /// A table that does not begin with its signature.
    Signature,
    /// A table that says that it is shorter than its fields.
    TableSize,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotMapped => "lies where nothing can be read",
            Self::DescriptorSize => "has descriptors of a size that cannot be",
            Self::MapSize => "is empty or absurdly long",
            Self::TooManyRegions => "has more regions for runtime services than are kept",
            Self::Overlap => "has regions for runtime services that overlap",
            Self::Signature => "does not begin with its signature",
            Self::TableSize => "is shorter than its fields",
        })
    }
}

impl core::error::Error for Error {}
