//! The ACPI power-management timer: a free-running counter at a fixed rate (ACPI 6.5, 4.8.3.3).

use core::num::NonZeroUsize;

use crate::io::inl;
use crate::regs::rdtsc;

/// Ticks per second.
pub const HZ: u64 = 3_579_545;

/// Where the counter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// An I/O port.
    Port(u16),
    /// A mapped, uncached, 4-byte aligned word.
    Memory(NonZeroUsize),
}

/// The timer.
#[derive(Clone, Copy, Debug)]
pub struct PmTimer {
    location: Location,
    /// The bits that count: 24 or 32.
    mask: u32,
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The TSC, in the middle of the read of the timer.
    pub tsc: u64,
    /// The timer's counter.
    pub ticks: u32,
}

/// Reads tried for one sample.
const TRIES: u32 = 8;
/// Reads without a change after which the timer is taken to stand still. One takes some 100 instructions at least of
/// any machine's time, and a tick is 279 ns.
const DEAD: u32 = 100_000;

impl PmTimer {
    /// The timer at `location`; `wide` if 32 bits count (FADT flag `TMR_VAL_EXT`).
    ///
    /// # Safety
    ///
    /// The location must be that of the timer, for ever.
    pub const unsafe fn new(location: Location, wide: bool) -> Self {
        Self {
            location,
            mask: if wide { u32::MAX } else { 0xff_ffff },
        }
    }

    fn read(self) -> u32 {
        let raw = match self.location {
            // SAFETY: reading the timer has no effect (contract of `new`).
            Location::Port(port) => unsafe { inl(port) },
            Location::Memory(at) => {
                // SAFETY: as above.
                unsafe { core::ptr::with_exposed_provenance::<u32>(at.get()).read_volatile() }
            }
        };
        raw & self.mask
    }

    /// Ticks from `earlier` to `later`, right across one wrap of the counter (4.7 s at 24 bits).
    pub const fn between(self, earlier: u32, later: u32) -> u32 {
        later.wrapping_sub(earlier) & self.mask
    }

    /// Both clocks at one moment, just after a tick: of [`TRIES`] readings the one with the shortest TSC bracket, so
    /// that an SMI or a descheduled host CPU in one of them does no harm. `None` if the timer stands still.
    pub fn sample(self) -> Option<Sample> {
        let mut best: Option<(u64, Sample)> = None;
        for _ in 0..TRIES {
            let (width, sample) = self.edge()?;
            if best.is_none_or(|(narrowest, _)| width < narrowest) {
                best = Some((width, sample));
            }
        }
        best.map(|(_, sample)| sample)
    }

    /// The first reading after a tick, and the width of its TSC bracket.
    fn edge(self) -> Option<(u64, Sample)> {
        let first = self.read();
        for _ in 0..DEAD {
            let before = rdtsc();
            let ticks = self.read();
            let after = rdtsc();
            if ticks != first {
                let width = after.wrapping_sub(before);
                return Some((
                    width,
                    Sample {
                        tsc: before.wrapping_add(width / 2),
                        ticks,
                    },
                ));
            }
        }
        None
    }

    /// Spins for `ticks` from `start`; false if the timer stands still.
    pub fn wait(self, start: Sample, ticks: u32) -> bool {
        let (mut last, mut unchanged) = (start.ticks, 0);
        while unchanged < DEAD {
            let now = self.read();
            if self.between(start.ticks, now) >= ticks {
                return true;
            }
            unchanged = if now == last { unchanged + 1 } else { 0 };
            last = now;
            core::hint::spin_loop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_right_across_a_wrap() {
        // SAFETY: never read.
        let (narrow, wide) = unsafe {
            (
                PmTimer::new(Location::Port(0x608), false),
                PmTimer::new(Location::Port(0x608), true),
            )
        };
        assert_eq!(narrow.between(10, 30), 20);
        assert_eq!(narrow.between(0xff_fff0, 0x10), 0x20);
        assert_eq!(wide.between(0xffff_fff0, 0x10), 0x20);
        assert_eq!(wide.between(0xff_fff0, 0x100_0010), 0x20);
        assert_eq!(narrow.between(7, 7), 0);
    }
}
