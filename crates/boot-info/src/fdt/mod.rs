//! Flattened device tree: one walk, one [`FdtInfo`].
//!
//! The tree is read through the `fdt` crate, of which only the untyped, fallible part is used:
//! names, children, raw properties. Its typed helpers are not: some of them unwrap, and its
//! `memory()` is one node only, which loses RAM on machines with several. `scan` looks at the whole
//! blob first, in one linear pass with bounds on depth and name lengths, so that nothing behind it
//! can panic, or take time that is not proportional to the size of the blob. See
//! `docs/decisions/0007-device-tree-behind-a-scan.md`.

use core::fmt;

mod cells;
mod chosen;
mod cpus;
mod gic;
mod info;
mod memory;
mod node;
mod psci;
mod scan;
#[cfg(test)]
mod tests;
mod uart;
mod walk;

pub use info::{
    Conduit, Cpu, EnableMethod, FdtInfo, Gic, GicVersion, Interrupt, MAX_CPUS, MAX_GIC_REGIONS, Psci,
    PsciIds, Region, Timer, Uart,
};
pub use scan::{HEADER_SIZE, MAX_SIZE, total_size};
pub use walk::{fill, fill_with, regions};

/// Why a device tree was refused as a whole. A node that makes no sense is skipped instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Fewer bytes than the header says, or than a header has.
    TooShort,
    /// No device tree: wrong magic.
    BadMagic,
    /// Larger than [`MAX_SIZE`], or smaller than a header.
    BadSize,
    /// A version that cannot be read as version 17.
    BadVersion,
    /// A block lies outside the blob.
    BadOffset,
    /// The structure block is not a well-formed tree.
    BadStructure,
    /// The tree is deeper than any real one.
    TooDeep,
    /// No usable memory node: nothing could be done with such a machine. All else was filled in.
    NoMemory,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "device tree cut short",
            Self::BadMagic => "no device tree magic",
            Self::BadSize => "device tree size out of range",
            Self::BadVersion => "device tree version not supported",
            Self::BadOffset => "device tree block out of bounds",
            Self::BadStructure => "device tree structure malformed",
            Self::TooDeep => "device tree too deep",
            Self::NoMemory => "device tree describes no memory",
        })
    }
}

impl core::error::Error for Error {}
