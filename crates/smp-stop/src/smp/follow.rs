//! The side of those who are stopped.

use cpumask::CpuId;

use super::{Engine, Lead, SmpStopOps};
use crate::area::{Slot, progress, saved};
use crate::latch::{Hold, Phase, Ticket};
use crate::mutants::mutant;
use crate::ops::Point;
use crate::outcome::{How, Stop};
use crate::regs::Registers;
use crate::report::{Via, WHOLE};
use crate::sync::{Ordering, RELAXED};

impl<'area, O: SmpStopOps> Engine<'area, '_, O> {
    /// Follows whoever has the stop. A CPU that has no slot is one that nobody waits for.
    pub(super) fn lose(&self, me: Option<CpuId>, via: Via) -> Stop<'area> {
        match me.zip(self.slot(me)) {
            Some((cpu, slot)) => self.follow(cpu, slot, via.code()),
            None => self.vanish(),
        }
    }

    /// Answers, and parks; returns only if this CPU stood by and the owner died. `via` is the code of a [`Via`]. A call of
    /// its own: that is where whoever counts instructions sees a CPU come.
    #[inline(never)]
    pub(super) fn follow(&self, cpu: CpuId, slot: &Slot, via: u32) -> Stop<'area> {
        if self.answer(slot, via) && self.area.header.latch.wants_deputy() {
            return self.stand_by(cpu, slot);
        }
        self.acknowledge(slot)
    }

    /// As [`Self::follow`], for a CPU that is not fit to own a stop.
    pub(super) fn park(&self, me: Option<CpuId>, via: Via) -> ! {
        self.ops.mask_interrupts();
        let Some(slot) = self.slot(me) else {
            self.vanish();
        };
        self.answer(slot, via.code());
        self.acknowledge(slot)
    }

    /// Parks a CPU that was never released. Its word goes from OFF to PARKED in one step: a stop that is over has it for off, and
    /// must not find it running.
    pub(super) fn call_off(&self, slot: &Slot) -> ! {
        self.ops.mask_interrupts();
        slot.via.store(Via::Gate.code(), RELAXED);
        self.save_registers(slot);
        slot.answered_at.set(self.ops.now());
        self.acknowledge(slot)
    }

    /// Parks a CPU that nobody knows, waits for or counts.
    pub(super) fn vanish(&self) -> ! {
        self.ops.mask_interrupts();
        self.ops.quiesce();
        self.ops.park()
    }

    /// Saves the registers. False if this CPU was doing so already: it faulted on the way here, and goes on from where it
    /// failed.
    fn answer(&self, slot: &Slot, via: u32) -> bool {
        if slot.word.begin_answer().is_err() {
            return false;
        }
        self.ops.point(Point::Answering);
        slot.via.store(via, RELAXED);
        if mutant!(AckBeforeSave) {
            slot.word.park();
        }
        self.save_registers(slot);
        self.ops.point(Point::RegistersSaved);
        slot.answered_at.set(self.ops.now());
        true
    }

    /// Saves the executing CPU's registers, once and for all (I4).
    pub(super) fn save_registers(&self, slot: &Slot) {
        if slot.saved.load(Ordering::Relaxed) != saved::NONE && !mutant!(SaveTwice) {
            return;
        }
        slot.saved.store(saved::WRITING, Ordering::Relaxed);
        let save = |registers: &mut Registers| self.ops.save_regs(registers);
        // SAFETY: the slot is the executing CPU's, which has never been here before; nobody reads before WHOLE (I4).
        unsafe { slot.registers.with_mut(save) };
        slot.saved.store(WHOLE, Ordering::Release);
    }

    /// The first CPU to answer stays awake until the owner has every answer: should the owner die in one of the
    /// architecture's hooks, or before it told anybody, somebody is there to go on. A call of its own: all the others need
    /// not make room on their stacks for it.
    #[inline(never)]
    fn stand_by(&self, cpu: CpuId, slot: &Slot) -> Stop<'area> {
        match self.outlive_owner(cpu, slot) {
            Some((ticket, former)) => self.succeed(cpu, ticket, former),
            None => self.acknowledge(slot),
        }
    }

    /// Returns the claim, and the former owner's, if the owner dies.
    fn outlive_owner(&self, cpu: CpuId, slot: &Slot) -> Option<(Ticket, Hold)> {
        let latch = &self.area.header.latch;
        if !latch.stand_by() {
            return None;
        }
        // Before the word says SAVED, so that whoever sees that sees this.
        slot.progress.fetch_or(progress::STOOD_BY, RELAXED);
        slot.word.saved();
        let mut seen = latch.hold()?;
        let mut patience = None;
        loop {
            self.ops.point(Point::StandingBy);
            self.ops.relax();
            let hold = latch.hold()?;
            if hold.phase != Phase::Stopping {
                return None;
            }
            if hold.generation != seen.generation {
                (seen, patience) = (hold, None);
            }
            let patience = patience.get_or_insert_with(|| self.patience());
            if patience.expired(self.ops, &self.ops.limits()) {
                let taken = latch.take_over(seen, self.name(Some(cpu)));
                return taken.ok().map(|ticket| (ticket, seen));
            }
        }
    }

    /// Takes the place of an owner that died, and climbs on where that one got stuck.
    #[cold]
    fn succeed(&self, cpu: CpuId, ticket: Ticket, former: Hold) -> Stop<'area> {
        let header = self.area.header;
        header.former_owner.store(former.pack(), RELAXED);
        header.began_at.set(self.ops.now());
        let lead = Lead {
            me: Some(cpu),
            ticket,
            first_rung: self.next_rung(former.generation),
            reentries: 0,
        };
        self.lead(lead, How::TookOver)
    }

    /// The last act (I3): the word says PARKED, and nothing is stored any more.
    fn acknowledge(&self, slot: &Slot) -> ! {
        // Not entered again should it fault, or if this CPU stood here before. Nobody but this CPU writes here.
        let progress = slot.progress.load(RELAXED);
        if progress & progress::QUIESCING == 0 {
            slot.progress.store(progress | progress::QUIESCING, RELAXED);
            self.ops.quiesce();
        }
        self.ops.point(Point::Acknowledging);
        slot.word.park();
        self.ops.park()
    }
}
