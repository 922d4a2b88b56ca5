//! What is left: memory minus reservations.

use core::ops::Range;

use super::Regions;

/// Iterator over free ranges, ascending. See [`super::Memblock::free`].
#[derive(Clone, Debug)]
pub struct Free<'a, const N: usize> {
    memory: &'a Regions<N>,
    reserved: &'a Regions<N>,
    next_memory: usize,
    next_reserved: usize,
    /// Everything below has been dealt with.
    at: u64,
}

impl<'a, const N: usize> Free<'a, N> {
    pub(super) fn new(memory: &'a Regions<N>, reserved: &'a Regions<N>) -> Self {
        Self {
            memory,
            reserved,
            next_memory: 0,
            next_reserved: 0,
            at: 0,
        }
    }
}

impl<const N: usize> Iterator for Free<'_, N> {
    type Item = Range<u64>;

    /// Each turn of the loop moves past a memory range or a reservation, so it ends.
    fn next(&mut self) -> Option<Range<u64>> {
        loop {
            let memory = self.memory.get(self.next_memory)?;
            let start = self.at.max(memory.start);
            if start >= memory.end {
                self.next_memory += 1;
                continue;
            }
            let Some(taken) = self.reserved.get(self.next_reserved) else {
                self.at = memory.end;
                return Some(start..memory.end);
            };
            if taken.end <= start {
                self.next_reserved += 1;
            } else if taken.start <= start {
                self.at = taken.end;
            } else {
                self.at = taken.start.min(memory.end);
                return Some(start..self.at);
            }
        }
    }
}
