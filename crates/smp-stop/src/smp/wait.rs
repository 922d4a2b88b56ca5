//! The owner's waits. Each looks at one CPU until it has answered and goes on to the next, so that all together cost one
//! look per CPU and whatever time it takes; each ends by its deadline (I5) or because the stop is another CPU's now.

use cpumask::CpuId;

use super::deadline::Deadline;
use super::lead::Asked;
use super::targets::can_be_signalled;
use super::{Engine, Lead, SmpStopOps};
use crate::area::{Slot, progress};
use crate::latch::Lost;
use crate::mutants::mutant;
use crate::report::RungKind;
use crate::sync::RELAXED;
use crate::word::{CpuState, Origin, View};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Await {
    /// Answers to signals.
    Answers,
    /// Answers to a signal that its targets know nothing of.
    HardwareStop,
    /// CPUs on their way up to reach the gate, CPUs on their way off to be gone.
    Arrivals,
    /// CPUs that have acknowledged, or said that they are off, to be off by the hardware's account.
    PowerOff,
    /// The CPU that stands by to park, and to be off where that is what parking does.
    Release,
}

impl Await {
    pub(super) fn answers(kind: RungKind) -> Self {
        match kind {
            RungKind::Hardware => Self::HardwareStop,
            _ => Self::Answers,
        }
    }

    /// Whether a CPU in this state may have to be waited for.
    fn concerns(self, view: View) -> bool {
        match self {
            Self::Answers | Self::HardwareStop => !view.has_answered() && can_be_signalled(view),
            Self::Arrivals => !view.has_answered() && matches!(view.origin, Origin::Starting | Origin::Dying),
            Self::PowerOff => matches!(view.state, CpuState::Parked | CpuState::Off) && view.was_released(),
            // Which of them stood by is in the slot.
            Self::Release => view.was_released() && view.has_answered(),
        }
    }

    /// Whether a CPU that is waited for may be off without having said so.
    fn may_be_off(self, view: View) -> bool {
        self == Self::HardwareStop || matches!(view.origin, Origin::Starting | Origin::Dying)
    }
}

impl<O: SmpStopOps> Engine<'_, O> {
    /// Waits; whether there is nothing left to wait for.
    pub(super) fn wait(&self, lead: &Lead, what: Await, limit_ns: u64) -> Result<bool, Lost> {
        let limits = self.ops.limits();
        let mut deadline = Deadline::start(self.ops, limit_ns);
        let mut others = self.area.others(lead.me).peekable();
        loop {
            while others
                .next_if(|(cpu, slot)| !self.is_left(what, *cpu, slot))
                .is_some()
            {}
            if others.peek().is_none() {
                return Ok(true);
            }
            if !self.area.header.latch.honours(lead.ticket) {
                return Err(Lost);
            }
            if deadline.expired(self.ops, &limits) {
                return Ok(false);
            }
            self.ops.relax();
        }
    }

    /// Whether there is anybody to wait for.
    pub(super) fn any_left(&self, lead: &Lead, what: Await) -> bool {
        self.area
            .others(lead.me)
            .any(|(cpu, slot)| self.is_left(what, cpu, slot))
    }

    /// Whether `cpu` is to be waited for. A CPU that the hardware says is off counts as off from here on.
    fn is_left(&self, what: Await, cpu: CpuId, slot: &Slot) -> bool {
        let view = slot.word.view();
        if !what.concerns(view) {
            return false;
        }
        match what {
            Await::Release => {
                let stood_by = slot.progress.load(RELAXED) & progress::STOOD_BY != 0;
                let on = || self.ops.hw_off(cpu) == Some(false) && !mutant!(DeputyLeftOn);
                stood_by && (view.state == CpuState::Saved || on())
            }
            Await::PowerOff => self.ops.hw_off(cpu) == Some(false),
            _ => {
                let off = what.may_be_off(view) && self.ops.hw_off(cpu) == Some(true);
                if off {
                    slot.word.off_by_hardware();
                }
                !off
            }
        }
    }

    pub(super) fn await_arrivals(&self, lead: &Lead, asked: Asked) -> Result<(), Lost> {
        if asked.in_flight == 0 {
            return Ok(());
        }
        let limit = self.ops.limits().arrival.total(asked.in_flight);
        self.wait(lead, Await::Arrivals, limit).map(drop)
    }

    pub(super) fn await_power_off(&self, lead: &Lead) -> Result<(), Lost> {
        let cpus = self.area.slots().len() as u32;
        self.wait(lead, Await::PowerOff, self.ops.limits().power_off.total(cpus))
            .map(drop)
    }

    pub(super) fn await_release(&self, lead: &Lead) -> Result<(), Lost> {
        let limits = self.ops.limits();
        let limit = limits.release.total(1).saturating_add(limits.power_off.total(1));
        self.wait(lead, Await::Release, limit).map(drop)
    }
}
