//! Whom a signal goes to.

use core::fmt;

use cpumask::CpuId;

use crate::area::Area;
use crate::latch::Owner;
use crate::mutants::mutant;
use crate::word::{CpuState, Origin, View};

/// The CPUs a rung's signal is for: those that were online (or on their way off) and have not answered. A CPU on its way up
/// is never among them: it may not have a handler yet, and the gate stops it.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    area: Area<'a>,
    me: Option<CpuId>,
    hard: bool,
    everyone: bool,
}

impl<'a> Targets<'a> {
    /// `everyone`: all other CPUs have just been asked, and run.
    pub(super) const fn new(area: Area<'a>, me: Option<CpuId>, hard: bool, everyone: bool) -> Self {
        Self {
            area,
            me,
            hard,
            everyone,
        }
    }

    /// In rising order, leaving out whoever answers meanwhile.
    pub fn iter(&self) -> impl Iterator<Item = CpuId> + Clone + use<'a> {
        let (area, hard) = (self.area, self.hard);
        area.others(self.me)
            .filter(move |(cpu, slot)| is_target(slot.word.view(), hard) && !owns(area, *cpu))
            .map(|(cpu, _)| cpu)
    }

    /// Whether `cpu` is one of them.
    pub fn contains(&self, cpu: CpuId) -> bool {
        Some(cpu) != self.me
            && !owns(self.area, cpu)
            && self
                .area
                .word(cpu)
                .is_some_and(|word| is_target(word.view(), self.hard))
    }

    /// Whether they are all CPUs there can be but the caller, so that a broadcast to everybody else reaches nobody who
    /// should not get it; one that has answered meanwhile may. Only as true as the kernel's list of CPUs is complete.
    pub fn is_everyone_else(&self) -> bool {
        let all = || {
            let mut others = self.area.others(self.me);
            others.all(|(_, slot)| is_target(slot.word.view(), self.hard))
        };
        self.everyone || all()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl fmt::Debug for Targets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(CpuId::as_u32)).finish()
    }
}

/// A CPU that was asked may have taken the stop away a moment ago. One that takes interrupts would know what to do with
/// the signal; hardware would not ask.
fn owns(area: Area<'_>, cpu: CpuId) -> bool {
    area.header.latch.is_owned_by(Owner::of(Some(cpu), || 0))
}

/// A signal makes sense for a CPU that has handlers and has not begun to answer; one that needs no handler (`hard`) also
/// for a CPU that began and got stuck.
fn is_target(view: View, hard: bool) -> bool {
    if mutant!(SignalEverybody) {
        return view.was_released();
    }
    let waiting = view.is_asked() || hard && view.state == CpuState::Saving;
    waiting && can_be_signalled(view)
}

pub(super) const fn can_be_signalled(view: View) -> bool {
    matches!(view.origin, Origin::Online | Origin::Dying)
}

/// Whether a CPU that has not answered was ever seen by the kernel in this life of its. Of one that was only released,
/// firmware may say that it is off until it executes, and it comes all the same.
pub(super) fn was_seen(view: View) -> bool {
    let is_coming = view.is_asked() && matches!(view.origin, Origin::Starting | Origin::Lost);
    !is_coming || mutant!(OffUnseen)
}
