//! What must be so when nothing happens any more.

use smp_stop::report::Row;
use smp_stop::{CpuId, CpuState as State, Origin, Phase, RungKind, Via};

use super::{Account, End};
use crate::plan::{Act, Clock, Mishap, Signals, Start};
use crate::world::{Body, World};

impl World {
    /// How all CPUs ended.
    pub fn ends(&self) -> Vec<End> {
        let end = |row: Row| End {
            row,
            body: self.cpu(row.cpu.as_usize()).body.get(),
            saves: self.cpu(row.cpu.as_usize()).notes.saves.get(),
        };
        smp_stop::Report::of(&self.area).rows().map(end).collect()
    }

    /// What must be so when nothing happens any more.
    pub fn check_end(&self) {
        let Some(reason) = self.notes.reason.get() else {
            return;
        };
        let Some(hold) = self.area.area().hold() else {
            return self.fail(format_args!("the machine was stopped, and nobody owns the stop"));
        };
        if hold.reason != reason {
            self.fail(format_args!(
                "I4: the reason is {}, and was {reason}",
                hold.reason
            ));
        }
        self.check_progress(hold.owner.cpu().map(CpuId::as_usize), hold);
        if let Some(last) = self.notes.accounts.borrow().last()
            && last.generation == hold.generation
        {
            self.check_notes(last);
            (0..self.cpus())
                .filter(|n| *n != last.owner)
                .for_each(|n| self.check_reached(last, n));
        }
        (0..self.cpus()).for_each(|n| self.check_at_rest(n));
    }

    /// What the last owner was told about a CPU's silence is what the report says for ever.
    fn check_notes(&self, last: &Account) {
        let now = smp_stop::Report::of(&self.area).rows();
        for (row, told) in now.zip(&last.rows).filter(|_| last.unavailable.is_none()) {
            if row.silent != told.silent {
                self.fail(format_args!("the account changed: {told:?} is now {row:?}"));
            }
        }
    }

    /// The stop came to its end; or its owner died, and nobody had answered who could have taken its place.
    fn check_progress(&self, owner: Option<usize>, hold: smp_stop::Hold) {
        let gave_up = |last: &Account| last.unavailable.is_some();
        let over = hold.phase == Phase::Done || self.notes.accounts.borrow().last().is_some_and(gave_up);
        let died = owner.is_none_or(|n| self.was_tripped(n));
        if over {
            return;
        }
        if !died {
            return self.fail(format_args!("the stop never ends: {hold:?}"));
        }
        let others = || (0..self.cpus()).filter(|n| Some(*n) != owner);
        // The one that stood by may have been tripped up, too, or struck by hardware: two failures are one too many.
        let sound = |n: usize| self.plan.cpus[n].traps.is_empty() && self.cpu(n).body.get() != Body::Struck;
        let heir = match others().all(sound) {
            true => others().find(|n| self.could_succeed(*n, owner)),
            false => None,
        };
        // Released, whoever stood by has parked: what is left for the owner to do needs no hook that could hang.
        if let Some(heir) = heir
            && hold.phase == Phase::Stopping
            && !hold.taken_over
        {
            self.fail(format_args!(
                "the owner {owner:?} died, and CPU {heir} answered in vain"
            ));
        }
    }

    fn was_tripped(&self, n: usize) -> bool {
        matches!(self.cpu(n).body.get(), Body::Hangs | Body::Struck)
    }

    /// Whether CPU `n` answered to that owner, in a way that makes it fit to take the stop over.
    fn could_succeed(&self, n: usize, owner: Option<usize>) -> bool {
        let since = owner.and_then(|owner| self.cpu(owner).notes.leads_since.get());
        if self.cpu(n).notes.answered.get() < since {
            return false;
        }
        let report = smp_stop::Report::of(&self.area);
        let via = report.row(CpuId::new(n as u32)).and_then(|row| row.via);
        matches!(
            via,
            Some(Via::Signal(_) | Via::Second | Via::Poll | Via::Handover)
        )
    }

    /// Whoever can be reached is: a sound CPU of a machine whose signals get through does not end up silent.
    fn check_reached(&self, last: &Account, n: usize) {
        let row = &last.rows[n];
        if row.silent.is_some() && last.unavailable.is_none() && self.must_be_reached(n) {
            self.fail(format_args!("CPU {n} could be reached and was not: {row:?}"));
        }
    }

    fn must_be_reached(&self, n: usize) -> bool {
        let (plan, cpu) = (&self.plan, &self.plan.cpus[n]);
        let sound = cpu.traps.is_empty() && plan.signals == Signals::default() && plan.clock == Clock::Runs;
        let patient = plan.cpus.iter().all(|cpu| {
            let sleeps = |trap: &crate::plan::Trap| matches!(trap.what, Mishap::Sleeps(_));
            !cpu.traps.iter().any(sleeps) && !cpu.acts.iter().any(|act| matches!(act, Act::Descheduled(_)))
        });
        let nmi = plan.rungs.contains(&RungKind::NonMaskable) && !cpu.deaf;
        let hard = plan.rungs.contains(&RungKind::Hardware) && !cpu.virt;
        let open = !cpu.acts.iter().any(|act| {
            matches!(
                act,
                Act::Masked(_) | Act::Deafens | Act::Offline(_) | Act::Stop(_)
            )
        });
        // A hook that failed is not tried again if there is another, so only the last rung is sure to be climbed.
        let all_climbed = !plan.cpus.iter().any(|cpu| !cpu.traps.is_empty());
        let reachable = match plan.rungs.last() {
            _ if all_climbed => nmi || hard || open && !plan.rungs.is_empty(),
            Some(RungKind::Interrupt) => open,
            Some(RungKind::NonMaskable) => nmi,
            Some(RungKind::Hardware) => hard,
            None => false,
        };
        sound && patient && reachable && cpu.start == Start::Online && !cpu.unknown
    }

    /// When all is over nobody runs who was asked, but those that cannot hear, and the owner.
    fn check_at_rest(&self, n: usize) {
        let (state, body) = (self.word(n).view(), self.cpu(n).body.get());
        let gate = matches!(state.origin, Origin::Starting | Origin::Lost);
        if gate && body == Body::Runs && state.state == State::Online {
            self.fail(format_args!(
                "CPU {n} came through the gate after it was asked: {state:?}"
            ));
        }
    }
}
