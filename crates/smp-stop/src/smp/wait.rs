//! The owner's waits: each looks at one CPU until there is nothing left to wait for and goes on to the next, so that all
//! together cost one look per CPU and whatever time it takes; each ends by its deadline (I5) or because the stop is another
//! CPU's now.

use cpumask::CpuId;

use super::deadline::Deadline;
use super::lead::Asked;
use super::targets::{can_be_signalled, was_seen};
use super::{Engine, Lead, Rung, SmpStopOps};
use crate::area::{Slot, progress};
use crate::latch::Lost;
use crate::mutants::mutant;
use crate::report::RungKind;
use crate::sync::RELAXED;
use crate::word::{CpuState, Origin};

impl<O: SmpStopOps> Engine<'_, '_, O> {
    /// Waits for answers to the signal of the first of `rungs`; whether all have come.
    pub(super) fn await_answers(&self, lead: &Lead, asked: Asked, rungs: &[Rung]) -> Result<bool, Lost> {
        let [rung, stronger @ ..] = rungs else {
            return Ok(false);
        };
        let limit = || match (rung.bound.total(asked.by_signal), stronger) {
            (bound, []) => self.at_least(bound),
            (bound, _) => bound,
        };
        // Targets of such a one know nothing of it, so the hardware is asked; otherwise only about those on their way off.
        let hard = rung.kind == RungKind::Hardware;
        self.wait(lead, limit, |cpu, slot| {
            let view = slot.word.view();
            let silent = !view.has_answered() && can_be_signalled(view);
            silent && !((hard || view.origin == Origin::Dying) && self.found_off(cpu, slot))
        })
    }

    /// Waits for CPUs on their way up to reach the gate, and for CPUs on their way off to be gone.
    pub(super) fn await_arrivals(&self, lead: &Lead, asked: Asked) -> Result<(), Lost> {
        if asked.in_flight == 0 {
            return Ok(());
        }
        let limit = || self.at_least(self.ops.limits().arrival.total(asked.in_flight));
        let arrived = self.wait(lead, limit, |cpu, slot| {
            let view = slot.word.view();
            let on_its_way = !view.has_answered() && matches!(view.origin, Origin::Starting | Origin::Dying);
            on_its_way && !(was_seen(view) && self.found_off(cpu, slot))
        });
        arrived.map(drop)
    }

    /// Waits for CPUs that have acknowledged, or said that they are off, to be off by the hardware's account.
    pub(super) fn await_power_off(&self, lead: &Lead) -> Result<(), Lost> {
        if !self.ops.sees_power() {
            return Ok(());
        }
        let cpus = self.area.slots().len() as u32;
        let limit = || self.at_least(self.ops.limits().power_off.total(cpus));
        let off = self.wait(lead, limit, |cpu, slot| {
            let view = slot.word.view();
            let gone = matches!(view.state, CpuState::Parked | CpuState::Off) && view.was_released();
            gone && self.ops.hw_off(cpu) == Some(false)
        });
        off.map(drop)
    }

    /// Waits for the CPU that stands by to park, and to be off where that is what parking does.
    pub(super) fn await_release(&self, lead: &Lead) -> Result<(), Lost> {
        let limit = || {
            let limits = self.ops.limits();
            self.at_least(limits.release.total(1).saturating_add(limits.power_off.total(1)))
        };
        let parked = self.wait(lead, limit, |cpu, slot| {
            let view = slot.word.view();
            let on = || self.ops.hw_off(cpu) == Some(false) && !mutant!(DeputyLeftOn);
            slot.progress.load(RELAXED) & progress::STOOD_BY != 0
                && view.was_released()
                && view.has_answered()
                && (view.state == CpuState::Saved || on())
        });
        parked.map(drop)
    }

    /// The length of a wait after which a CPU counts as silent.
    fn at_least(&self, bound_ns: u64) -> u64 {
        bound_ns.max(self.ops.limits().grace_ns)
    }

    /// Whether the hardware says that a CPU is off which did not say so itself. It counts as off from here on.
    #[inline(never)]
    fn found_off(&self, cpu: CpuId, slot: &Slot) -> bool {
        let off = self.ops.hw_off(cpu) == Some(true);
        if off {
            slot.word.off_by_hardware();
        }
        off
    }

    /// Waits until nobody is left; whether that came to be in time.
    #[inline]
    fn wait(
        &self,
        lead: &Lead,
        limit_ns: impl Fn() -> u64,
        is_left: impl Fn(CpuId, &Slot) -> bool,
    ) -> Result<bool, Lost> {
        let mut deadline = None;
        for (cpu, slot) in self.area.others(lead.me) {
            // Most have done what is waited for while the owner waited for those before them.
            if is_left(cpu, slot) {
                let deadline = deadline.get_or_insert_with(|| Deadline::new(limit_ns()));
                if !self.wait_for(lead, deadline, &|| is_left(cpu, slot))? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Waits for one CPU; whether it was in time.
    #[inline(never)]
    fn wait_for(
        &self,
        lead: &Lead,
        deadline: &mut Deadline,
        is_left: &dyn Fn() -> bool,
    ) -> Result<bool, Lost> {
        loop {
            if !self.area.header.latch.honours(lead.ticket) {
                return Err(Lost);
            }
            if deadline.expired(self.ops, &self.ops.limits()) {
                return Ok(false);
            }
            self.ops.relax();
            if !is_left() {
                return Ok(true);
            }
        }
    }
}
