//! RAM that has an address, and the proof that it has.
//!
//! Not all RAM need be in the physmap: a window of a 32-bit address space holds less than a machine has, and the boot tables show
//! less than the final ones. So no code adds up an address: it has an [`InPhysmap`], because it has asked, or was given RAM that was.

use core::ops::Range;

use boot_info::Memblock;
use boot_info::memblock::{Direction, Error};
use paging::PAGE_SIZE;

/// Bytes in a page.
const PAGE: usize = PAGE_SIZE as usize;

/// Physical memory, all of which the physmap shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPhysmap {
    start: u64,
    len: usize,
}

impl InPhysmap {
    /// RAM that the physmap is known to show: from the page allocator, which has no other, or within its reach and the memblock.
    pub(crate) const fn of_ram(start: u64, len: usize) -> Self {
        Self { start, len }
    }

    /// Physical address of the first byte.
    pub const fn start(self) -> u64 {
        self.start
    }

    /// How many bytes they are.
    pub const fn bytes(self) -> usize {
        self.len
    }
}

/// RAM to be had before there is a page allocator: the physmap shows all that is handed out, on the boot tables and on the
/// final ones.
#[derive(Debug)]
pub struct EarlyRam<'a> {
    memblock: &'a mut Memblock,
    reach: Range<u64>,
}

impl<'a> EarlyRam<'a> {
    /// Of what `memblock` has, as much as lies within `reach`, which the physmap shows.
    pub(crate) const fn within(memblock: &'a mut Memblock, reach: Range<u64>) -> Self {
        Self { memblock, reach }
    }

    /// Whole pages, at least `len` bytes, at a multiple of `align` and inside of `within`. They are not cleared.
    ///
    /// # Errors
    /// As [`Memblock::alloc`]. What there is beyond the physmap does not count.
    pub fn alloc(
        &mut self,
        len: usize,
        align: u64,
        within: Range<u64>,
        from: Direction,
    ) -> Result<InPhysmap, Error> {
        // The tables show whole pages: of RAM that ends within one, the rest has no address.
        let len = len.checked_next_multiple_of(PAGE).ok_or(Error::Wraps)?;
        let within = within.start.max(self.reach.start)..within.end.min(self.reach.end);
        let start = self
            .memblock
            .alloc(len as u64, align.max(PAGE_SIZE), within, from)?;
        Ok(InPhysmap::of_ram(start, len))
    }

    /// Sees to it that a range is not handed out, RAM or not.
    ///
    /// # Errors
    /// As [`Memblock::reserve`].
    pub fn reserve(&mut self, start: u64, len: u64) -> Result<(), Error> {
        self.memblock.reserve(start, len)
    }

    /// Whether so many bytes in a row are free.
    pub(crate) fn has(&self, len: u64) -> bool {
        self.memblock
            .find(len, PAGE_SIZE, self.reach.clone(), Direction::TopDown)
            .is_ok()
    }

    /// From the first to the last RAM in reach, free or not.
    pub(crate) fn span(&self) -> Range<u64> {
        let ram = self.memblock.memory().iter();
        let ram = ram.map(|r| r.start.max(self.reach.start)..r.end.min(self.reach.end));
        let ram = ram.filter(|r| !r.is_empty());
        let span = ram.reduce(|all, r| all.start..r.end);
        span.unwrap_or(self.reach.start..self.reach.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const PAGES: Range<u64> = 0..u64::MAX;

    /// 2 MiB up to one that is not whole, a hole, and 4 MiB.
    fn ram() -> Memblock {
        let mut memblock = Memblock::new();
        memblock.add(0, 2 * MIB + 0x800).unwrap();
        memblock.add(4 * MIB, 4 * MIB).unwrap();
        memblock
    }

    #[test]
    fn nothing_is_handed_out_beyond_the_reach() {
        for from in [Direction::TopDown, Direction::BottomUp] {
            let mut memblock = ram();
            let mut early = EarlyRam::within(&mut memblock, MIB..5 * MIB);
            let mut taken = 0;
            while let Ok(page) = early.alloc(1, 1, PAGES, from) {
                assert!(page.start() >= MIB && page.start() + page.bytes() as u64 <= 5 * MIB);
                taken += page.bytes() as u64;
            }
            assert_eq!(taken, 2 * MIB, "all of it");
            // The control: there is more RAM than that.
            assert!(memblock.alloc(PAGE_SIZE, PAGE_SIZE, PAGES, from).is_ok());
        }
    }

    #[test]
    fn what_is_no_whole_page_is_not_handed_out() {
        let mut memblock = ram();
        let mut early = EarlyRam::within(&mut memblock, 0..3 * MIB);
        let page = early.alloc(0x400, 1, PAGES, Direction::TopDown).unwrap();
        assert_eq!((page.start(), page.bytes()), (2 * MIB - PAGE_SIZE, PAGE));
        assert!(early.alloc(usize::MAX, 1, PAGES, Direction::TopDown).is_err());
    }

    #[test]
    fn the_span_and_the_room_end_where_the_reach_does() {
        let mut memblock = ram();
        let early = EarlyRam::within(&mut memblock, MIB..5 * MIB);
        assert_eq!(early.span(), MIB..5 * MIB);
        assert!(early.has(MIB) && !early.has(2 * MIB));
        assert!(EarlyRam::within(&mut memblock, PAGES).has(2 * MIB));
        let nothing = EarlyRam::within(&mut memblock, 3 * MIB..4 * MIB);
        assert!(nothing.span().is_empty() && !nothing.has(1));
    }
}
