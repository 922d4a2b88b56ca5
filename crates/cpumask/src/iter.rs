//! Walking a set.

use core::iter::FusedIterator;

use crate::{CpuId, CpuMask, mask::WORD_BITS};

/// The CPUs of a [`CpuMask`] in rising order.
///
/// It walks a copy: what happens to the mask meanwhile does not show.
#[derive(Clone, Debug)]
pub struct Iter<const W: usize> {
    left: CpuMask<W>,
    word: usize,
}

impl<const W: usize> Iter<W> {
    pub(crate) fn new(mask: CpuMask<W>) -> Self {
        Self { left: mask, word: 0 }
    }
}

impl<const W: usize> Iterator for Iter<W> {
    type Item = CpuId;

    fn next(&mut self) -> Option<CpuId> {
        while *self.left.0.get(self.word)? == 0 {
            self.word += 1;
        }
        let word = &mut self.left.0[self.word];
        let bit = word.trailing_zeros();
        *word &= *word - 1;
        Some(CpuId::new(self.word as u32 * WORD_BITS + bit))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left.count() as usize;
        (left, Some(left))
    }
}

impl<const W: usize> ExactSizeIterator for Iter<W> {}
impl<const W: usize> FusedIterator for Iter<W> {}
