//! Larger tables, in the memory that they describe.

use core::ops::Range;

use super::{Direction, Error, Memblock, Span};
use crate::MemRegion;

/// Where larger tables may lie, and how they are written to.
#[derive(Clone, Debug)]
pub struct Growth {
    /// Physical addresses that can be written to by now.
    pub reach: Range<u64>,
    /// Shows so many entries, all zeros, in RAM at a physical address within the reach, for ever; `None` if it cannot.
    ///
    /// # Safety
    /// The caller owns that RAM: nobody else reads or writes it, now or later.
    pub show: unsafe fn(u64, usize) -> Option<&'static mut [Span]>,
}

/// A firmware's map, read once more: every region goes to the second function, and all memory that was looked at for it to
/// the first.
pub type Found<'f> = &'f dyn Fn(&mut dyn FnMut(Range<u64>), &mut dyn FnMut(MemRegion));

/// What came of [`Memblock::refine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refined {
    /// Regions of the firmware's map.
    pub regions: usize,
    /// Ranges there is room for in each list now.
    pub capacity: usize,
}

/// Ranges that a boot reserves on top of a firmware's map: image, RAM disk, first pages of tables.
const SPARE: usize = 128;
/// Alignment of tables, in bytes: whole pages, which whoever maps RAM maps.
const ALIGN: u64 = 4096;
/// Bytes of an entry.
const ENTRY: u64 = size_of::<Span>() as u64;

impl<const N: usize> Memblock<N> {
    /// From here on a list that is full moves to a table of twice the size, in RAM that is free by what the lists hold then.
    pub fn grow_in(&mut self, growth: Growth) {
        self.growth = Some(growth);
    }

    /// Changes a list, which may have to grow first: not into the `range` that the change is about.
    pub(super) fn change(
        &mut self,
        range: &Range<u64>,
        f: impl Fn(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match f(self) {
            Err(Error::Full) if self.grow(2 * self.capacity(), range).is_ok() => f(self),
            result => result,
        }
    }

    fn capacity(&self) -> usize {
        self.memory.capacity().min(self.reserved.capacity())
    }

    /// Moves both lists to tables of at least `entries` entries each, none of them in `avoid`.
    ///
    /// # Errors
    /// [`Error::Full`]: there is no place for them.
    fn grow(&mut self, entries: usize, avoid: &Range<u64>) -> Result<(), Error> {
        let growth = self.growth.clone().ok_or(Error::Full)?;
        let bytes = (entries as u64)
            .saturating_mul(ENTRY)
            .checked_next_multiple_of(ALIGN)
            .ok_or(Error::Full)?;
        let entries = usize::try_from(bytes / ENTRY).map_err(|_| Error::Full)?;
        let size = bytes.checked_mul(2).ok_or(Error::Full)?;
        let at = self.place(size, &growth.reach, avoid).ok_or(Error::Full)?;
        // SAFETY: the range is free RAM, and reserved below; it is given back only when no list is in it any more.
        let (one, other) = unsafe { ((growth.show)(at, entries), (growth.show)(at + bytes, entries)) };
        let (Some(one), Some(other)) = (one, other) else {
            return Err(Error::Full);
        };
        let old = core::mem::replace(&mut self.tables, at..at + size);
        self.memory.move_to(one);
        self.reserved.move_to(other);
        // Both fit: the list has just grown.
        self.reserved.insert(at..at + size)?;
        self.reserved.remove(old)
    }

    /// From the bottom, but behind the first MiB where it can be: small machines keep what fits nowhere else there.
    fn place(&self, size: u64, reach: &Range<u64>, avoid: &Range<u64>) -> Option<u64> {
        let high = reach.start.saturating_add(1 << 20)..reach.end;
        let parts = |of: &Range<u64>| {
            let (below, above) = (of.end.min(avoid.start), of.start.max(avoid.end));
            [of.start..below.max(of.start), above.min(of.end)..of.end]
        };
        let windows = parts(&high).into_iter().chain(parts(reach));
        windows
            .filter_map(|window| self.find(size, ALIGN, window, Direction::BottomUp).ok())
            .next()
    }

    /// Puts the firmware's map `found` in the place of all that is known, where that is a map which had to be folded
    /// ([`crate::MemMap`]): it tells what is free for the tables that this takes. What of the reservations made on top of the
    /// map must stay is in `kept`.
    ///
    /// # Errors
    /// [`Error::Full`]: there is no place for the tables. Nothing has changed, but for more being reserved.
    pub fn refine(&mut self, found: Found<'_>, kept: &[Range<u64>]) -> Result<Refined, Error> {
        let mut regions = 0;
        let mut result = Ok(());
        // What is read once more must not be written to until it has been.
        found(
            &mut |seen| result = result.and_then(|()| self.reserved.insert(seen)),
            &mut |_| regions += 1,
        );
        result?;
        // Each claim may cut a range of RAM in two.
        if self.capacity() < regions + SPARE {
            self.grow(regions + SPARE, &(0..0))?;
        }
        self.memory.clear();
        self.reserved.clear();
        for range in [self.tables.clone()].iter().chain(kept).cloned() {
            self.reserved.insert(range)?;
        }
        self.add_regions(|each| found(&mut |_| (), each))?;
        Ok(Refined {
            regions,
            capacity: self.capacity(),
        })
    }
}
