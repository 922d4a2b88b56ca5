//! The initial RAM disk: is it really there, and what is in it?

use core::{fmt, ops::Range};

use crate::{MemMap, Memblock};

mod archive;
mod format;
#[cfg(test)]
mod tests;

pub use archive::{Archive, Entry};
pub use format::Format;

/// The initial RAM disk as the loader named it.
// The representation makes `Absent` a zero, which keeps empty statics out of the image.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Initrd {
    /// The loader gave none.
    #[default]
    Absent,
    /// It lies in this range of RAM.
    Present(Range<u64>),
    /// The loader gave one that cannot be used.
    Refused {
        /// Where it was said to start.
        start: u64,
        /// How long it was said to be, in bytes.
        len: u64,
        /// What is wrong with it.
        why: InitrdRefusal,
    },
}

/// Why an initial RAM disk was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitrdRefusal {
    /// `type_of_loader` is 0: no boot loader filled the header in, so the fields mean nothing.
    NoLoader,
    /// A size but no address.
    NoAddress,
    /// An address but no size.
    NoSize,
    /// Address plus size is beyond the address space, or the end is before the start.
    Wraps,
    /// Not all of it is RAM, or some of it is reserved.
    NotRam,
    /// It overlaps the kernel image.
    OverlapsKernel,
}

impl fmt::Display for InitrdRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLoader => "type_of_loader is 0",
            Self::NoAddress => "no address",
            Self::NoSize => "no size",
            Self::Wraps => "its end is not in the address space",
            Self::NotRam => "not wholly inside RAM",
            Self::OverlapsKernel => "it overlaps the kernel image",
        })
    }
}

impl Initrd {
    /// Judges an address and a length in bytes against the memory map. Both 0 means absent.
    #[must_use]
    pub fn check(start: u64, len: u64, memory: &MemMap) -> Self {
        let refuse = |why| Self::Refused { start, len, why };
        let Some(end) = start.checked_add(len) else {
            return refuse(InitrdRefusal::Wraps);
        };
        match (start, len) {
            (0, 0) => Self::Absent,
            (0, _) => refuse(InitrdRefusal::NoAddress),
            (_, 0) => refuse(InitrdRefusal::NoSize),
            _ if !memory.is_ram(&(start..end)) => refuse(InitrdRefusal::NotRam),
            _ => Self::Present(start..end),
        }
    }

    /// Refuses it after all if it overlaps the kernel image, whose place only the kernel knows.
    #[must_use]
    pub fn outside(self, kernel: &Range<u64>) -> Self {
        match self {
            Self::Present(at) if at.start < kernel.end && kernel.start < at.end => Self::Refused {
                start: at.start,
                len: at.end - at.start,
                why: InitrdRefusal::OverlapsKernel,
            },
            other => other,
        }
    }

    /// Where it is, if it is usable.
    #[must_use]
    pub fn range(&self) -> Option<Range<u64>> {
        match self {
            Self::Present(range) => Some(range.clone()),
            Self::Absent | Self::Refused { .. } => None,
        }
    }

    /// Reserves it in `memblock`; does nothing without one.
    ///
    /// # Errors
    /// When the table of reservations is full.
    pub fn reserve_in<const N: usize>(
        &self,
        memblock: &mut Memblock<N>,
    ) -> Result<(), crate::memblock::Error> {
        self.range().map_or(Ok(()), |range| {
            memblock.reserve(range.start, range.end - range.start)
        })
    }
}
