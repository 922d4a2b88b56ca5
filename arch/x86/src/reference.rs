//! Clocks of known rate that the TSC is measured against.
//!
//! All of them count freely, and so does the TSC: what happens between two samples harms nobody. Only the samples must be
//! exact, and an SMI or a descheduled host CPU in the middle of one shows in the width of its TSC bracket.

use crate::regs::rdtsc;

/// A free-running counter.
pub trait Reference {
    /// Ticks per second.
    const HZ: u64;
    /// The bits that count.
    fn mask(&self) -> u32;
    /// The count now; upwards.
    fn read(&self) -> u32;
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The TSC, in the middle of the read of the reference.
    pub tsc: u64,
    /// The reference's count.
    pub ticks: u32,
}

/// Reads tried for one sample.
const TRIES: u32 = 8;
/// Reads without a change after which the reference is taken to stand still: the slowest ticks every 838 ns, and a read
/// takes 10 ns even where devices are emulated.
const DEAD: u32 = 10_000;

/// Ticks from `earlier` to `later` of a counter of these bits, right across one wrap.
pub const fn between(mask: u32, earlier: u32, later: u32) -> u32 {
    later.wrapping_sub(earlier) & mask
}

/// Both clocks at one moment, just after a tick: of [`TRIES`] readings the one with the shortest TSC bracket. `None` if
/// the reference stands still.
pub fn sample(reference: &impl Reference) -> Option<Sample> {
    let mut best: Option<(u64, Sample)> = None;
    for _ in 0..TRIES {
        let (width, sample) = edge(reference)?;
        if best.is_none_or(|(narrowest, _)| width < narrowest) {
            best = Some((width, sample));
        }
    }
    best.map(|(_, sample)| sample)
}

/// The first reading after a tick, and the width of its TSC bracket.
fn edge(reference: &impl Reference) -> Option<(u64, Sample)> {
    let first = reference.read();
    for _ in 0..DEAD {
        let before = rdtsc();
        let ticks = reference.read();
        let after = rdtsc();
        if ticks != first {
            let width = after.wrapping_sub(before);
            let tsc = before.wrapping_add(width / 2);
            return Some((width, Sample { tsc, ticks }));
        }
    }
    None
}

/// Spins for `ticks` from `start`; false if the reference stands still.
pub fn wait(reference: &impl Reference, start: Sample, ticks: u32) -> bool {
    let (mut last, mut unchanged) = (start.ticks, 0);
    while unchanged < DEAD {
        let now = reference.read();
        if between(reference.mask(), start.ticks, now) >= ticks {
            return true;
        }
        unchanged = if now == last { unchanged + 1 } else { 0 };
        last = now;
        core::hint::spin_loop();
    }
    false
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    #[test]
    fn differences_are_right_across_a_wrap() {
        assert_eq!(between(0xff_ffff, 10, 30), 20);
        assert_eq!(between(0xff_ffff, 0xff_fff0, 0x10), 0x20);
        assert_eq!(between(u32::MAX, 0xffff_fff0, 0x10), 0x20);
        assert_eq!(between(u32::MAX, 0xff_fff0, 0x100_0010), 0x20);
        assert_eq!(between(0xffff, 7, 7), 0);
    }

    /// Ticks once every `PER_TICK` reads, from just below its wrap.
    struct Fake<const PER_TICK: u32>(Cell<u32>);

    impl<const PER_TICK: u32> Reference for Fake<PER_TICK> {
        const HZ: u64 = 1;

        fn mask(&self) -> u32 {
            0xff
        }

        fn read(&self) -> u32 {
            self.0.set(self.0.get() + 1);
            (0xf8 + self.0.get().checked_div(PER_TICK).unwrap_or(0)) & 0xff
        }
    }

    #[test]
    fn samples_stand_at_ticks_and_waits_end() {
        let counter = Fake::<3>(Cell::new(0));
        let start = sample(&counter).expect("it ticks");
        assert!(wait(&counter, start, 100));
        let end = sample(&counter).expect("it still ticks");
        assert!(between(counter.mask(), start.ticks, end.ticks) >= 100);
    }

    #[test]
    fn a_dead_counter_is_given_up() {
        let dead = Fake::<0>(Cell::new(0));
        assert_eq!(sample(&dead), None);
        assert!(!wait(&dead, Sample { tsc: 0, ticks: 0xf8 }, 1));
    }
}
