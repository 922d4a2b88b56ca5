//! Backtraces: raw return addresses, by walking frame pointers. The host puts names to them.

use crate::arch::Arch;
use crate::mm;

/// Frames shown at most.
const MAX_FRAMES: usize = 64;

/// Return addresses, innermost first; see [`frames`].
#[derive(Debug)]
pub struct Frames<F> {
    frame: usize,
    left: usize,
    readable: F,
}

/// Walks from the frame pointer `frame`. On every architecture here a frame is (caller's frame pointer, return address).
/// The walk ends at a zero, at memory that is not mapped, and where the chain does not go up the stack: a damaged stack
/// ends it early and never faults.
pub fn frames<A: Arch>(frame: usize) -> Frames<fn(usize) -> bool> {
    Frames {
        frame,
        left: MAX_FRAMES,
        readable: mm::is_mapped::<A>,
    }
}

impl<F: Fn(usize) -> bool> Frames<F> {
    /// The pair at `frame`, if it is aligned and mapped.
    fn read(&self, frame: usize) -> Option<(usize, usize)> {
        const WORD: usize = size_of::<usize>();
        let good = frame != 0 && frame.is_multiple_of(WORD) && frame.checked_add(2 * WORD).is_some();
        if !good || !(self.readable)(frame) || !(self.readable)(frame + WORD) {
            return None;
        }
        let pair = core::ptr::with_exposed_provenance::<usize>(frame);
        // SAFETY: both words are aligned and mapped, and kernel memory holds no values that are invalid as integers.
        Some(unsafe { (pair.read_volatile(), pair.add(1).read_volatile()) })
    }
}

impl<F: Fn(usize) -> bool> Iterator for Frames<F> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let (caller, pc) = self.read(self.frame)?;
        self.frame = if caller > self.frame { caller } else { 0 };
        (pc != 0).then_some(pc)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn walk(stack: &[usize], start: usize) -> Vec<usize> {
        let range = stack.as_ptr_range();
        let (low, high) = (range.start.expose_provenance(), range.end.expose_provenance());
        let readable = move |at: usize| (low..high).contains(&at);
        Frames {
            frame: start,
            left: MAX_FRAMES,
            readable,
        }
        .collect()
    }

    #[test]
    fn chains_are_followed_and_damage_ends_them() {
        let mut stack = [0usize; 8];
        let at = |n: usize| stack.as_ptr().wrapping_add(n).expose_provenance();
        let (a, b, c) = (at(0), at(2), at(4));
        stack[..6].copy_from_slice(&[b, 11, c, 22, 0, 33]);
        assert_eq!(walk(&stack, a), [11, 22, 33]);
        stack[2] = a;
        assert_eq!(walk(&stack, a), [11, 22], "a loop ends");
        stack[2] = b + 1;
        assert_eq!(walk(&stack, a), [11, 22], "a frame pointer between words ends");
        stack[2] = usize::MAX - 7;
        assert_eq!(walk(&stack, a), [11, 22], "unmapped memory ends");
        assert!(walk(&stack, 0).is_empty() && walk(&stack, usize::MAX).is_empty());
    }
}
