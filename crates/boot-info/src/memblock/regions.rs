//! A sorted list of disjoint ranges: a fixed table, and a larger one in its place when that is full.

use core::ops::Range;

use super::Error;

/// An entry of a table: a half-open range of addresses. `Range` itself is not `Copy`. Zeros are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Span {
    start: u64,
    end: u64,
}

impl Span {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0 };
}

/// Ranges in ascending order, none empty, none touching another.
#[derive(Debug)]
pub struct Regions<const N: usize> {
    own: [Span; N],
    /// The table in use instead of `own`.
    larger: Option<&'static mut [Span]>,
    len: usize,
}

impl<const N: usize> Regions<N> {
    pub(super) const fn new() -> Self {
        Self {
            own: [Span::EMPTY; N],
            larger: None,
            len: 0,
        }
    }

    /// How many ranges there is room for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        match &self.larger {
            Some(table) => table.len(),
            None => N,
        }
    }

    /// Moves into another table, unless that is no larger.
    pub(super) fn move_to(&mut self, table: &'static mut [Span]) {
        if table.len() > self.capacity() {
            table[..self.len].copy_from_slice(self.spans());
            self.larger = Some(table);
        }
    }

    pub(super) const fn clear(&mut self) {
        self.len = 0;
    }

    fn table(&mut self) -> &mut [Span] {
        match &mut self.larger {
            Some(table) => table,
            None => &mut self.own,
        }
    }

    fn spans(&self) -> &[Span] {
        match &self.larger {
            Some(table) => &table[..self.len],
            None => &self.own[..self.len],
        }
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Range<u64>> + Clone + use<'_, N> {
        self.spans().iter().map(|s| s.start..s.end)
    }

    /// Number of ranges.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes covered.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.spans().iter().fold(0, |sum, s| sum + (s.end - s.start))
    }

    /// Whether any byte of `range` is covered.
    #[must_use]
    pub fn overlaps(&self, range: &Range<u64>) -> bool {
        !range.is_empty()
            && self
                .spans()
                .get(self.first_ending_after(range.start))
                .is_some_and(|s| s.start < range.end)
    }

    /// Whether every byte of `range` is covered. An empty range is not.
    #[must_use]
    pub fn contains(&self, range: &Range<u64>) -> bool {
        let at = self.spans().get(self.first_ending_after(range.start));
        !range.is_empty() && at.is_some_and(|s| s.start <= range.start && range.end <= s.end)
    }

    /// The `i`-th range, ascending.
    #[must_use]
    pub fn get(&self, i: usize) -> Option<Range<u64>> {
        self.spans().get(i).map(|s| s.start..s.end)
    }

    /// Index of the first range that ends after `at`.
    pub(super) fn first_ending_after(&self, at: u64) -> usize {
        self.spans().partition_point(|s| s.end <= at)
    }

    pub(super) fn insert(&mut self, range: Range<u64>) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        // All spans that overlap or touch the new one are replaced by their hull.
        let spans = self.spans();
        let first = spans.partition_point(|s| s.end < range.start);
        let last = spans.partition_point(|s| s.start <= range.end);
        let mut hull = Span {
            start: range.start,
            end: range.end,
        };
        if let (Some(low), Some(high)) = (spans[first..last].first(), spans[first..last].last()) {
            hull.start = hull.start.min(low.start);
            hull.end = hull.end.max(high.end);
        }
        self.replace(first..last, &[hull])
    }

    pub(super) fn remove(&mut self, range: Range<u64>) -> Result<(), Error> {
        let first = self.first_ending_after(range.start);
        let last = self.spans().partition_point(|s| s.start < range.end);
        if range.is_empty() || first >= last {
            return Ok(());
        }
        let head = Span {
            start: self.spans()[first].start,
            end: range.start,
        };
        let tail = Span {
            start: range.end,
            end: self.spans()[last - 1].end,
        };
        match (head.start < head.end, tail.start < tail.end) {
            (true, true) => self.replace(first..last, &[head, tail]),
            (true, false) => self.replace(first..last, &[head]),
            (false, true) => self.replace(first..last, &[tail]),
            (false, false) => self.replace(first..last, &[]),
        }
    }

    pub(super) fn truncate_at(&mut self, limit: u64) {
        self.len = self.spans().partition_point(|s| s.start < limit);
        if let Some(last) = self.len.checked_sub(1) {
            let last = &mut self.table()[last];
            last.end = last.end.min(limit);
        }
    }

    /// Puts `new` where the spans of these numbers are.
    fn replace(&mut self, old: Range<usize>, new: &[Span]) -> Result<(), Error> {
        let (before, len) = (self.len, self.len - old.len() + new.len());
        if len > self.capacity() {
            return Err(Error::Full);
        }
        let table = self.table();
        table.copy_within(old.end..before, old.start + new.len());
        table[old.start..][..new.len()].copy_from_slice(new);
        self.len = len;
        Ok(())
    }
}
