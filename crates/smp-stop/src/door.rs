//! The door that a started CPU comes through first: it tells one that was released from one that came unasked.
//!
//! Hardware starts CPUs that nobody released: a signal reaches more than the one CPU that it names, firmware starts one
//! twice, a start that was refused comes all the same. Such a CPU must neither run on nor be lost. It leaves a note at the
//! door and waits, off by its word, where a start finds it; the starter reads the note when it opens the door, and knows that
//! the CPU has to be fetched from there first.

use crate::mutants::mutant;
use crate::sync::{AtomicU32, Ordering, const_fn};

/// One CPU's door, the same for all its starts. All changes are compare-exchanges or exchanges with acquire-release ordering;
/// entry code that has no Rust yet may read it, as 32 bits.
#[repr(transparent)]
#[derive(Debug)]
pub struct Door(AtomicU32);

impl Door {
    /// The CPU has been released and has not come yet.
    pub const OPEN: u32 = 0;
    /// The CPU is through.
    pub const THROUGH: u32 = 1;
    /// The start was given up: entry code that sees this before it uses a stack parks.
    pub const REVOKED: u32 = 2;
    /// The CPU was never released.
    pub const SHUT: u32 = 3;
    /// The CPU came while the door was shut, and waits where a start finds it.
    pub const EARLY: u32 = 4;

    const_fn! {
        /// The door of a CPU that was never released.
        pub fn new() -> Self {
            Self(AtomicU32::new(Self::SHUT))
        }
    }

    /// Opens the door for a start, before the CPU is released and after
    /// [`begin_start`](crate::CpuWord::begin_start). True if the CPU came before and waits: it hears no release there, and has
    /// to be brought to where it does.
    #[must_use]
    pub fn open(&self) -> bool {
        self.0.swap(Self::OPEN, Ordering::AcqRel) == Self::EARLY
    }

    /// Called by the CPU, as the first thing it does. False if it came unasked: it must wait where a start finds it, and
    /// change nothing. True says no more than that it may go on to the gate, which decides.
    #[must_use]
    pub fn enter(&self) -> bool {
        if mutant!(DoorAjar) {
            return self.enter_unlatched();
        }
        let _ = self.step(Self::OPEN, Self::THROUGH);
        let early = self.step(Self::SHUT, Self::EARLY) || self.holds(Self::EARLY);
        !early
    }

    /// What [`Self::enter`] is without the latch: the look and the note come apart.
    fn enter_unlatched(&self) -> bool {
        let raw = self.0.load(Ordering::Acquire);
        let (note, goes_on) = match raw {
            Self::SHUT | Self::EARLY => (Self::EARLY, false),
            _ => (Self::THROUGH, true),
        };
        self.0.store(note, Ordering::Release);
        goes_on
    }

    /// Gives the start up. False if the CPU is through by now.
    pub fn revoke(&self) -> bool {
        self.step(Self::OPEN, Self::REVOKED)
    }

    /// Whether the CPU has come through since the door was opened.
    pub fn is_through(&self) -> bool {
        self.holds(Self::THROUGH)
    }

    /// Whether the CPU came unasked, and waits.
    pub fn is_early(&self) -> bool {
        self.holds(Self::EARLY)
    }

    fn holds(&self, what: u32) -> bool {
        self.0.load(Ordering::Acquire) == what
    }

    fn step(&self, from: u32, to: u32) -> bool {
        self.0
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

impl Default for Door {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(any(feature = "loom", feature = "shuttle"))))]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_that_is_awaited_goes_through() {
        let door = Door::new();
        assert!(!door.open());
        assert!(!door.is_through());
        assert!(door.enter() && door.is_through());
    }

    #[test]
    fn a_cpu_that_comes_unasked_waits_until_it_is_fetched() {
        let door = Door::new();
        assert!(!door.enter() && door.is_early());
        // It may come again, and still is not awaited.
        assert!(!door.enter() && door.is_early());
        assert!(door.open(), "the starter is told");
        assert!(!door.is_early());
        assert!(door.enter() && door.is_through());
        assert!(!door.open(), "the note has been read");
    }

    #[test]
    fn a_start_is_given_up_once_only_before_the_cpu_comes() {
        let door = Door::new();
        assert!(!door.open());
        assert!(door.revoke() && !door.revoke());
        // The gate turns it away.
        assert!(door.enter() && !door.is_through());
        let late = Door::new();
        assert!(!late.open() && late.enter());
        assert!(!late.revoke() && late.is_through());
    }
}
