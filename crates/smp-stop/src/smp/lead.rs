//! The owner's side.

use super::deadline::Deadline;
use super::{Engine, Lead, SmpStopOps, Targets};
use crate::area::Slot;
use crate::latch::{Lost, Phase};
use crate::mutants::mutant;
use crate::ops::Point;
use crate::outcome::{How, Stop};
use crate::report::{RungKind, Verdict, Via};
use crate::sync::{Ordering, RELAXED};
use crate::word::{CpuState, Origin, View};

/// How many were asked, by what can be done about them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// Those a signal can be sent to.
    pub(super) by_signal: u32,
    /// Those that are on their way up or off.
    pub(super) in_flight: u32,
    /// Whether the first are all other CPUs there can be.
    pub(super) is_everyone: bool,
}

impl<'area, O: SmpStopOps> Engine<'area, '_, O> {
    /// Brings everybody to a stand; follows whoever takes the stop away meanwhile.
    pub(super) fn lead(&self, lead: Lead, how: How) -> Stop<'area> {
        match self.bring_to_a_stand(&lead) {
            Ok(verdict) => Stop::new(self.area, lead.ticket.generation, verdict, how),
            Err(Lost) => self.lose(lead.me, Via::Handover),
        }
    }

    fn bring_to_a_stand(&self, lead: &Lead) -> Result<Verdict, Lost> {
        let header = self.area.header;
        self.ops.point(Point::Elected);
        if mutant!(CountInsteadOfState) && self.online() <= 1 {
            return Ok(Verdict::Stopped);
        }
        let asked = self.ask_all(lead);
        let force = self.climb(lead, asked)?;
        self.await_arrivals(lead, asked)?;
        self.await_power_off(lead)?;
        header.latch.advance(lead.ticket, Phase::Released)?;
        self.ops.point(Point::Released);
        self.await_release(lead)?;
        header
            .took
            .set(self.ops.now().saturating_sub(header.began_at.get()));
        self.record_owner(lead);
        let verdict = self.account(lead, asked, force);
        self.ops.point(Point::Finishing);
        header.latch.advance(lead.ticket, Phase::Done)?;
        Ok(verdict)
    }

    /// Changes every word there is: those that run are asked, those that are off stay off. From here on nobody can come
    /// online.
    fn ask_all(&self, lead: &Lead) -> Asked {
        let mut asked = Asked::default();
        let to_ask = self.area.others(lead.me).filter(|(_, slot)| !is_overlooked(slot));
        to_ask.for_each(|(cpu, slot)| {
            match in_flight(slot.word.ask()) {
                Some(true) => asked.in_flight += 1,
                Some(false) => asked.by_signal += 1,
                None => {}
            }
            self.ops.point(Point::Asked(cpu));
        });
        let others = self.area.slots().len() - usize::from(lead.me.is_some());
        asked.is_everyone = asked.by_signal as usize == others;
        asked
    }

    /// Sends signal after signal, each to those that have not answered. Returns the strongest that was sent.
    fn climb(&self, lead: &Lead, asked: Asked) -> Result<Option<RungKind>, Lost> {
        let rungs = self.ops.rungs();
        let mut force = None;
        // What was sent before, by this owner or the one before, may still be under way.
        let mut all_answered = asked.by_signal == 0;
        if let Some(sent @ [rung, ..]) = lead.first_rung.checked_sub(1).and_then(|n| rungs.get(n..)) {
            force = Some(rung.kind);
            all_answered = self.await_answers(lead, asked, sent)?;
        }
        for (n, rung) in rungs.iter().enumerate().skip(lead.first_rung) {
            if all_answered {
                break;
            }
            let everyone = force.is_none() && asked.is_everyone;
            if self.signal(lead, n, rung.kind, everyone)? {
                force = Some(rung.kind);
                all_answered = self.await_answers(lead, asked, &rungs[n..])?;
            }
        }
        Ok(force)
    }

    /// Sends one signal; whether anything was sent.
    fn signal(&self, lead: &Lead, rung: usize, kind: RungKind, everyone: bool) -> Result<bool, Lost> {
        self.note_rung_begun(lead, rung);
        self.ops.point(Point::Signalling(rung));
        let targets = Targets::new(self.area, lead.me, kind == RungKind::Hardware, everyone);
        // With all that are left in the middle of their answers there is nobody to send to, and still something to wait for.
        let sent = self.ops.signal(rung, &targets).is_ok() || targets.is_empty();
        self.ops.point(Point::Signalled(rung));
        match self.area.header.latch.honours(lead.ticket) {
            true => Ok(sent),
            false => Err(Lost),
        }
    }

    /// The rung to go on with where an owner of this generation failed: the hook of the one it was at is not trusted,
    /// unless there is no other.
    pub(super) fn next_rung(&self, generation: u8) -> usize {
        let raw = self.area.header.rungs_begun.load(Ordering::Relaxed);
        let begun = match raw >> 16 == u32::from(generation) {
            true => (raw & 0xffff) as usize,
            false => 0,
        };
        begun.min(self.ops.rungs().len().saturating_sub(1))
    }

    fn note_rung_begun(&self, lead: &Lead, rung: usize) {
        let begun = u32::from(lead.ticket.generation) << 16 | (rung as u32 + 1);
        // The later generation wins over an owner that does not know yet that it is none.
        self.area.header.rungs_begun.fetch_max(begun, Ordering::Relaxed);
    }

    /// The owner's own line in the report.
    fn record_owner(&self, lead: &Lead) {
        if let Some(slot) = self.slot(lead.me) {
            slot.via.store(Via::Owner.code(), RELAXED);
            self.save_registers(slot);
        }
    }

    /// All the time an owner can need, twice over, for whoever stands by.
    pub(super) fn patience(&self) -> Deadline {
        let (cpus, limits, rungs) = (
            self.area.slots().len() as u32,
            self.ops.limits(),
            self.ops.rungs(),
        );
        let others = limits.arrival.and(limits.power_off).and(limits.release);
        let all = rungs.iter().fold(others, |sum, rung| sum.and(rung.bound));
        // The last rung, arrivals, power-off, release.
        let grace = limits.grace_ns.saturating_mul(4);
        let longest = all.total(cpus).saturating_add(grace);
        let waits = rungs.len() as u32 + 3;
        Deadline::many(longest.saturating_mul(2), 2 * waits)
    }

    fn online(&self) -> usize {
        let online = |slot: &&Slot| slot.word.state() == CpuState::Online;
        self.area.slots().iter().filter(online).count()
    }
}

/// Whether a CPU that was asked is on its way up or off, where waiting helps; `None` if there is nothing to wait for.
fn in_flight(view: View) -> Option<bool> {
    match (view.has_answered(), view.origin) {
        (true, _) | (_, Origin::Lost) => None,
        (false, Origin::Starting) => Some(true),
        (false, _) => Some(false),
    }
}

/// What other kernels do not see.
fn is_overlooked(slot: &Slot) -> bool {
    cfg!(feature = "mutants")
        && match slot.word.state() {
            CpuState::Starting => mutant!(StartingNotAsked),
            CpuState::Dying => mutant!(DyingIsOff),
            _ => false,
        }
}
