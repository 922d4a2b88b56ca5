//! The account (I1): whoever is not known to stand still is named, with the reason.

use cpumask::CpuId;

use super::lead::Asked;
use super::targets::was_seen;
use super::{Engine, Lead, SmpStopOps};
use crate::area::Slot;
use crate::latch::Hold;
use crate::mutants::mutant;
use crate::report::{RungKind, Unavailable, Verdict, Why};
use crate::sync::{Ordering, RELAXED};
use crate::word::{CpuState, Origin, View};

impl<O: SmpStopOps> Engine<'_, '_, O> {
    /// Writes down who is silent and why, and the verdict.
    pub(super) fn account(&self, lead: &Lead, asked: Asked, force: Option<RungKind>) -> Verdict {
        let round = lead.round();
        let is_silent = |(cpu, slot): &(CpuId, &Slot)| {
            let why = self.why_silent(*cpu, slot, force);
            why.inspect(|why| note(slot, round, *why)).is_some()
        };
        let silent = self.area.others(lead.me).filter(is_silent).count();
        let verdict = match silent {
            0 => Verdict::Stopped,
            _ if force.is_none() && asked.by_signal > 0 => Verdict::Unavailable(Unavailable::NoSignal),
            _ => Verdict::Partial,
        };
        self.publish(lead, verdict);
        verdict
    }

    /// Writes the verdict down. That of a later round stands, should this owner have become a former one meanwhile.
    pub(super) fn publish(&self, lead: &Lead, verdict: Verdict) {
        let raw = verdict.pack(lead.round());
        self.area.header.verdict.fetch_max(raw, Ordering::AcqRel);
    }

    fn why_silent(&self, cpu: CpuId, slot: &Slot, force: Option<RungKind>) -> Option<Why> {
        let view = slot.word.view();
        match view.state {
            CpuState::Parked => None,
            _ => self.why_not_parked(cpu, slot, view, force),
        }
    }

    #[inline(never)]
    fn why_not_parked(&self, cpu: CpuId, slot: &Slot, view: View, force: Option<RungKind>) -> Option<Why> {
        match view.state {
            CpuState::Off => self.why_still_on(cpu, view),
            _ if mutant!(SilentUnnamed) => None,
            CpuState::Starting if mutant!(StartingNotAsked) => None,
            CpuState::Dying if mutant!(DyingIsOff) => None,
            _ if was_seen(view) && self.ops.hw_off(cpu) == Some(true) => {
                slot.word.off_by_hardware();
                None
            }
            _ if self.died_as_owner(cpu) => Some(Why::OwnerDied),
            _ => Some(explain(view, force)),
        }
    }

    /// Of a CPU that is off by its word: it went off, or was never released.
    fn why_still_on(&self, cpu: CpuId, view: View) -> Option<Why> {
        let why = match view.was_released() {
            true => Why::StillOn,
            false if mutant!(UnaskedUnnamed) => return None,
            false => Why::Unasked,
        };
        (self.ops.hw_off(cpu) == Some(false)).then_some(why)
    }

    fn died_as_owner(&self, cpu: CpuId) -> bool {
        let former = Hold::from_raw(self.area.header.former_owner.load(RELAXED));
        former.is_some_and(|hold| hold.owner.cpu() == Some(cpu))
    }
}

/// Why a CPU that does not stand still does not.
fn explain(view: View, force: Option<RungKind>) -> Why {
    match (view.origin, view.state) {
        (Origin::Starting, _) => Why::StartingLost,
        (Origin::Lost, _) => Why::Lost,
        (_, CpuState::Saving | CpuState::Saved) => Why::Stuck,
        (Origin::Dying, _) => Why::OfflineLost,
        _ => match force {
            None => Why::NoSignal,
            Some(RungKind::Interrupt) => Why::IrqOff,
            Some(RungKind::NonMaskable) => Why::NmiDeaf,
            Some(RungKind::Hardware) => Why::HardwareDeaf,
        },
    }
}

/// Writes the reason into the slot. It counts if the verdict is of the same round: an owner that does not know yet that it
/// is none may be at its account while its successor is at the final one, or later.
fn note(slot: &Slot, round: u16, why: Why) {
    let raw = u32::from(round) << 16 | why as u32;
    slot.note.fetch_max(raw, Ordering::AcqRel);
}
