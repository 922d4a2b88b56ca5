//! The boot-time memory allocator: which RAM exists, which of it is taken.
//!
//! Two sorted lists of disjoint, non-adjacent ranges, as in Linux: `memory` says where RAM is,
//! `reserved` what must not be handed out. Reservations need not lie in RAM and may come first, so
//! the order of calls in early boot does not matter. What is free is the difference.
//!
//! Both lists begin in tables of a fixed size. Where these are full they move to larger ones, which lie in RAM that the
//! lists themselves call free: see [`Memblock::grow_in`].

use core::{fmt, ops::Range};

mod alloc;
mod free;
mod grow;
mod regions;
#[cfg(test)]
mod tests;

pub use alloc::Direction;
pub use free::Free;
pub use grow::{Found, Growth, Refined};
pub use regions::{Regions, Span};

use crate::{MemKind, MemMap, MemRegion};

/// Ranges per list before it has grown, unless the type says otherwise. A [`MemMap`] fits, with some that come on top of it.
pub const DEFAULT_REGIONS: usize = 256;

const _: () = assert!(DEFAULT_REGIONS >= crate::MAX_REGIONS + 32);

/// Why a request was refused. The lists are unchanged after any error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The list has no room for another range, nor is there any for a larger list.
    Full,
    /// Start plus length is beyond 2^64.
    Wraps,
    /// A size of 0 was asked for.
    ZeroSize,
    /// The alignment is not a power of two.
    BadAlign,
    /// No free range is large enough.
    NoMemory,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "region table full",
            Self::Wraps => "range wraps around the address space",
            Self::ZeroSize => "size is zero",
            Self::BadAlign => "alignment is not a power of two",
            Self::NoMemory => "no free range is large enough",
        })
    }
}

impl core::error::Error for Error {}

/// RAM and reservations; all addresses physical, all lengths in bytes.
///
/// ```
/// use boot_info::memblock::{Direction, Memblock};
///
/// let mut mb: Memblock = Memblock::new();
/// mb.add(0x10_0000, 0x40_0000)?;
/// mb.reserve(0x10_0000, 0x5_0000)?; // the kernel image
/// let page = mb.alloc(0x1000, 0x1000, 0..u64::MAX, Direction::BottomUp)?;
/// assert_eq!(page, 0x15_0000);
/// assert_eq!(mb.free().next(), Some(0x15_1000..0x50_0000));
/// # Ok::<(), boot_info::memblock::Error>(())
/// ```
#[derive(Debug)]
pub struct Memblock<const N: usize = DEFAULT_REGIONS> {
    memory: Regions<N>,
    reserved: Regions<N>,
    /// RAM that is there and is not used.
    unused: Regions<N>,
    growth: Option<Growth>,
    /// Where the tables lie that the lists have moved to.
    tables: Range<u64>,
}

impl<const N: usize> Memblock<N> {
    /// No RAM, no reservations.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            memory: Regions::new(),
            reserved: Regions::new(),
            unused: Regions::new(),
            growth: None,
            tables: 0..0,
        }
    }

    /// Adds RAM; overlapping and adjacent ranges merge, length 0 is nothing.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Wraps`].
    pub fn add(&mut self, start: u64, len: u64) -> Result<(), Error> {
        let range = range(start, len)?;
        self.change(&range, |this| this.memory.insert(range.clone()))
    }

    /// Takes RAM out again: it will be neither mapped nor allocated.
    ///
    /// # Errors
    /// [`Error::Full`] when cutting a hole would need one range more than there is room for.
    pub fn remove(&mut self, start: u64, len: u64) -> Result<(), Error> {
        let range = range(start, len)?;
        self.change(&range, |this| this.memory.remove(range.clone()))
    }

    /// Marks a range as taken, whether or not it is RAM.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Wraps`].
    pub fn reserve(&mut self, start: u64, len: u64) -> Result<(), Error> {
        let range = range(start, len)?;
        self.change(&range, |this| this.reserved.insert(range.clone()))
    }

    /// Gives a reservation back.
    ///
    /// # Errors
    /// [`Error::Full`], as for [`Self::remove`].
    pub fn release(&mut self, start: u64, len: u64) -> Result<(), Error> {
        let range = range(start, len)?;
        self.change(&range, |this| this.reserved.remove(range.clone()))
    }

    /// Takes in a firmware map: usable RAM is added, what the firmware claims is taken out of it,
    /// and RAM it merely wants left alone is reserved.
    ///
    /// Claims are applied last: where the firmware lists a byte twice, the claim wins.
    ///
    /// # Errors
    /// [`Error::Full`]; what came before it has been taken in.
    pub fn add_map(&mut self, map: &MemMap) -> Result<(), Error> {
        self.add_regions(|each| map.regions().iter().for_each(|r| each(*r)))
    }

    /// The same with a map that is read twice.
    fn add_regions(&mut self, map: impl Fn(&mut dyn FnMut(MemRegion))) -> Result<(), Error> {
        let mut result = Ok(());
        map(&mut |r| {
            if r.kind == MemKind::Usable {
                result = result.and_then(|()| self.add(r.start, r.len));
            }
        });
        map(&mut |r| {
            let change = match r.kind {
                MemKind::Usable => return,
                MemKind::ReservedRam => Self::reserve,
                _ => Self::remove,
            };
            result = result.and_then(|()| change(self, r.start, r.len));
        });
        result
    }

    /// Forgets RAM at and above `limit`: `mem=` as x86 understands it.
    pub fn limit_address(&mut self, limit: u64) {
        self.truncate_at(limit);
    }

    /// Keeps the lowest `bytes` of RAM: `mem=` as arm64 understands it. And what lies below the end of the lists' own tables.
    pub fn limit_total(&mut self, bytes: u64) {
        let mut left = bytes;
        let limit = self.memory.iter().find_map(|r| {
            let len = r.end - r.start;
            let cut = (left <= len).then(|| r.start + left);
            left = left.saturating_sub(len);
            cut
        });
        if let Some(limit) = limit {
            self.truncate_at(limit.max(self.tables.end));
        }
    }

    fn truncate_at(&mut self, limit: u64) {
        for range in self.memory.iter().map(|r| r.start.max(limit)..r.end) {
            // What does not fit is remembered less exactly: as nothing.
            let _ = self.unused.insert(range);
        }
        self.memory.truncate_at(limit);
    }

    /// Whether any byte of the range is RAM, used or not: what lies there is no device.
    #[must_use]
    pub fn has_ram(&self, range: &Range<u64>) -> bool {
        self.memory.overlaps(range) || self.unused.overlaps(range)
    }

    /// Where RAM is.
    #[must_use]
    pub const fn memory(&self) -> &Regions<N> {
        &self.memory
    }

    /// What is taken.
    #[must_use]
    pub const fn reserved(&self) -> &Regions<N> {
        &self.reserved
    }

    /// RAM that nobody has reserved, ascending.
    #[must_use]
    pub fn free(&self) -> Free<'_, N> {
        Free::new(&self.memory, &self.reserved)
    }

    /// Whether any byte of the range is reserved.
    #[must_use]
    pub fn is_reserved(&self, start: u64, len: u64) -> bool {
        range(start, len).is_ok_and(|r| self.reserved.overlaps(&r))
    }

    /// Whether every byte of the range is RAM.
    #[must_use]
    pub fn is_memory(&self, start: u64, len: u64) -> bool {
        range(start, len).is_ok_and(|r| self.memory.contains(&r))
    }

    /// Bytes of RAM.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.memory.total()
    }

    /// Bytes of RAM nobody has reserved.
    #[must_use]
    pub fn free_total(&self) -> u64 {
        self.free().fold(0, |sum, r| sum + (r.end - r.start))
    }

    /// One past the last byte of RAM, 0 when there is none.
    #[must_use]
    pub fn end_of_ram(&self) -> u64 {
        self.memory.iter().next_back().map_or(0, |r| r.end)
    }
}

impl<const N: usize> Default for Memblock<N> {
    fn default() -> Self {
        Self::new()
    }
}

fn range(start: u64, len: u64) -> Result<Range<u64>, Error> {
    Ok(start..start.checked_add(len).ok_or(Error::Wraps)?)
}
