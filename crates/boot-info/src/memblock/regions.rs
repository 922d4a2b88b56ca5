//! A sorted list of disjoint ranges with a fixed capacity.

use core::ops::Range;

use arrayvec::ArrayVec;

use super::Error;

/// Half-open range; `Range` itself is not `Copy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u64,
    end: u64,
}

/// Ranges in ascending order, none empty, none touching another.
#[derive(Clone, Debug)]
pub struct Regions<const N: usize> {
    spans: ArrayVec<Span, N>,
}

impl<const N: usize> Regions<N> {
    pub(super) const fn new() -> Self {
        Self {
            spans: ArrayVec::new_const(),
        }
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Range<u64>> + Clone + use<'_, N> {
        self.spans.iter().map(|s| s.start..s.end)
    }

    /// Number of ranges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes covered.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.spans.iter().fold(0, |sum, s| sum + (s.end - s.start))
    }

    /// Whether any byte of `range` is covered.
    #[must_use]
    pub fn overlaps(&self, range: &Range<u64>) -> bool {
        !range.is_empty()
            && self
                .spans
                .get(self.first_ending_after(range.start))
                .is_some_and(|s| s.start < range.end)
    }

    /// Whether every byte of `range` is covered. An empty range is not.
    #[must_use]
    pub fn contains(&self, range: &Range<u64>) -> bool {
        let at = self.spans.get(self.first_ending_after(range.start));
        !range.is_empty() && at.is_some_and(|s| s.start <= range.start && range.end <= s.end)
    }

    /// The `i`-th range, ascending.
    #[must_use]
    pub(super) fn get(&self, i: usize) -> Option<Range<u64>> {
        self.spans.get(i).map(|s| s.start..s.end)
    }

    /// Index of the first range that ends after `at`.
    pub(super) fn first_ending_after(&self, at: u64) -> usize {
        self.spans.partition_point(|s| s.end <= at)
    }

    pub(super) fn insert(&mut self, range: Range<u64>) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        // All spans that overlap or touch the new one are replaced by their hull.
        let first = self.spans.partition_point(|s| s.end < range.start);
        let last = self.spans.partition_point(|s| s.start <= range.end);
        if first == last {
            return self.insert_at(
                first,
                Span {
                    start: range.start,
                    end: range.end,
                },
            );
        }
        let hull = Span {
            start: range.start.min(self.spans[first].start),
            end: range.end.max(self.spans[last - 1].end),
        };
        self.spans[first] = hull;
        self.spans.drain(first + 1..last);
        Ok(())
    }

    pub(super) fn remove(&mut self, range: Range<u64>) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let first = self.first_ending_after(range.start);
        let last = self.spans.partition_point(|s| s.start < range.end);
        if first >= last {
            return Ok(());
        }
        let head = Span {
            start: self.spans[first].start,
            end: range.start,
        };
        let tail = Span {
            start: range.end,
            end: self.spans[last - 1].end,
        };
        let pieces = [head, tail].into_iter().filter(|s| s.start < s.end);
        if self.spans.len() - (last - first) + pieces.clone().count() > N {
            return Err(Error::Full);
        }
        self.spans.drain(first..last);
        for (i, piece) in pieces.enumerate() {
            self.insert_at(first + i, piece)?;
        }
        Ok(())
    }

    pub(super) fn truncate_at(&mut self, limit: u64) {
        let keep = self.spans.partition_point(|s| s.start < limit);
        self.spans.truncate(keep);
        if let Some(last) = self.spans.last_mut() {
            last.end = last.end.min(limit);
        }
    }

    fn insert_at(&mut self, at: usize, span: Span) -> Result<(), Error> {
        self.spans.try_insert(at, span).map_err(|_| Error::Full)
    }
}
