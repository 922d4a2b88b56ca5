//! First fit, from either end.

use core::ops::Range;

use super::{Error, Memblock};

/// From which end of the allowed range to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Lowest address first.
    BottomUp,
    /// Highest address first: keeps low memory for those who need it.
    TopDown,
}

impl<const N: usize> Memblock<N> {
    /// Finds `size` free bytes aligned to `align` inside `within`, reserves them and returns their
    /// address. The memory is not cleared.
    ///
    /// # Errors
    /// [`Error::ZeroSize`], [`Error::BadAlign`], [`Error::NoMemory`]; [`Error::Full`] when the
    /// reservation does not fit in the table.
    pub fn alloc(
        &mut self,
        size: u64,
        align: u64,
        within: Range<u64>,
        from: Direction,
    ) -> Result<u64, Error> {
        let at = self.find(size, align, within, from)?;
        self.reserve(at, size)?;
        Ok(at)
    }

    /// As [`Self::alloc`], but leaves the memory free.
    ///
    /// # Errors
    /// As [`Self::alloc`], without [`Error::Full`].
    pub fn find(&self, size: u64, align: u64, within: Range<u64>, from: Direction) -> Result<u64, Error> {
        if size == 0 {
            return Err(Error::ZeroSize);
        }
        if !align.is_power_of_two() {
            return Err(Error::BadAlign);
        }
        let windows = self
            .memory
            .iter()
            .map(|m| m.start.max(within.start)..m.end.min(within.end));
        let found = match from {
            Direction::BottomUp => windows.into_iter().find_map(|w| self.lowest(size, align, w)),
            Direction::TopDown => windows.rev().find_map(|w| self.highest(size, align, w)),
        };
        found.ok_or(Error::NoMemory)
    }

    /// Each turn moves behind one more reservation.
    fn lowest(&self, size: u64, align: u64, window: Range<u64>) -> Option<u64> {
        let mut at = window.start;
        loop {
            let start = at.checked_next_multiple_of(align)?;
            let end = start.checked_add(size).filter(|&end| end <= window.end)?;
            match self.reserved.get(self.reserved.first_ending_after(start)) {
                Some(taken) if taken.start < end => at = taken.end,
                _ => return Some(start),
            }
        }
    }

    /// Each turn moves in front of one more reservation.
    fn highest(&self, size: u64, align: u64, window: Range<u64>) -> Option<u64> {
        let mut top = window.end;
        loop {
            let start = top.checked_sub(size)? & !(align - 1);
            if start < window.start {
                return None;
            }
            // The last reservation that begins before the candidate ends is the one to clear.
            let end = start + size;
            let taken = self.reserved.iter().rev().find(|r| r.start < end);
            match taken {
                Some(taken) if taken.end > start => top = taken.start,
                _ => return Some(start),
            }
        }
    }
}
