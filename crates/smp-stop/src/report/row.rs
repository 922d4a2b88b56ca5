//! One CPU's line of a report.

use cpumask::CpuId;

use super::{Summary, Via, Why};
use crate::mutants::mutant;
use crate::word::{CpuState, View};

/// What is known about one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub cpu: CpuId,
    /// What the hardware calls it; 0 if the kernel never said.
    pub hw_id: u64,
    /// Whether it owns the stop.
    pub owner: bool,
    /// Its state and what it was when it was asked; `None` if the stored word means nothing.
    pub view: Option<View>,
    /// How it came to stop; `None` if it did not.
    pub via: Option<Via>,
    /// Why it was silent when the stop was over; `None` if it was not.
    pub silent: Option<Why>,
    /// Nanoseconds from the beginning of the owner's stop to its answer, where it gave one to this owner; `None` if it answered
    /// one before, whose beginning is not known any more.
    pub answered_ns: Option<u64>,
    /// Whether its registers were saved and are whole.
    pub has_registers: bool,
}

/// A line as stored.
pub(crate) struct RawRow {
    pub(crate) word: u32,
    pub(crate) via: u32,
    pub(crate) note: u32,
    pub(crate) saved: u32,
    pub(crate) answered_at: u64,
    pub(crate) hw_id: u64,
}

/// The value of a slot's `saved` that says the registers are whole.
pub(crate) const WHOLE: u32 = 2;

impl RawRow {
    pub(super) fn read(self, cpu: CpuId, owner: bool, summary: &Summary) -> Row {
        let via = Via::from_code(self.via);
        let counts = (self.note >> 16) as u16 >= summary.round || mutant!(StaleNote);
        Row {
            cpu,
            hw_id: self.hw_id,
            owner,
            view: View::from_raw(self.word),
            via,
            silent: Why::from_code(self.note & 0xff).filter(|_| !owner && counts),
            answered_ns: via.filter(|_| !owner).and_then(|_| self.answered_ns(summary)),
            has_registers: self.saved == WHOLE,
        }
    }
}

impl RawRow {
    /// Clocks of two CPUs may differ by a little: that is no time before the beginning, unless there was another one.
    fn answered_ns(&self, summary: &Summary) -> Option<u64> {
        let is_first = summary.hold.is_none_or(|hold| hold.generation <= 1);
        match self.answered_at.checked_sub(summary.began_at) {
            None if is_first => Some(0),
            after => after,
        }
    }
}

impl Row {
    fn is(&self, state: CpuState) -> bool {
        self.view.is_some_and(|view| view.state == state)
    }

    /// Whether it stands still for good.
    pub fn is_parked(&self) -> bool {
        !self.owner && self.is(CpuState::Parked)
    }

    /// Whether it was released once, and is off: it left, or the hardware says so, and does not say otherwise.
    pub fn is_off(&self) -> bool {
        self.silent.is_none() && self.is(CpuState::Off) && self.view.is_some_and(View::was_released)
    }

    /// What is wrong with it, if anything.
    pub fn why(&self) -> Option<Why> {
        match self.silent {
            Some(_) if self.is_parked() => Some(Why::Late),
            Some(why) => Some(why),
            None if self.is_parked() && !self.has_registers => Some(Why::NoRegs),
            None => None,
        }
    }

    /// What its word says, in one word; `owner` for the owner, `?` if the word means nothing.
    pub fn state(&self) -> &'static str {
        match self.view {
            _ if self.owner => "owner",
            Some(view) => view.state.name(),
            None => "?",
        }
    }

    /// Whether there is anything to say about it: it was released at some time.
    pub fn is_of_interest(&self) -> bool {
        self.owner || self.silent.is_some() || self.view.is_none_or(View::was_released)
    }
}
