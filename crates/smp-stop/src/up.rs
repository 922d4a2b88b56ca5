//! The engine for one CPU: the same calls, the same report, nobody to stop.

use core::fmt;

use cpumask::CpuId;

use crate::area::{Area, Slot, saved};
use crate::latch::{Claim, Owner, Phase, Reason};
use crate::ops::StopOps;
use crate::outcome::{How, Stop};
use crate::report::{Verdict, Via, WHOLE};
use crate::sync::{Ordering, RELAXED};

/// The engine: an area, and a machine. See [`crate::smp::Engine`], whose names it shares.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing by itself"]
pub struct Engine<'area, 'ops, O> {
    area: Area<'area>,
    ops: &'ops O,
}

impl<'area, 'ops, O: StopOps> Engine<'area, 'ops, O> {
    /// The engine for the executing CPU, which is the only one.
    pub fn new(area: impl Into<Area<'area>>, ops: &'ops O) -> Self {
        Self {
            area: area.into(),
            ops,
        }
    }

    /// Claims the machine and saves the registers. Always returns; from the second time on with what was so before.
    pub fn stop(&self, reason: Reason) -> Stop<'area> {
        self.stop_as(reason, None)
    }

    /// As [`crate::smp::Engine::stop_saying`].
    pub fn stop_saying(&self, reason: Reason, words: &'static str) -> Stop<'area> {
        self.stop_as(reason, Some(words))
    }

    /// As [`crate::smp::Engine::set_message`].
    pub fn set_message(&self, message: &dyn fmt::Display) {
        self.ops.mask_interrupts();
        if let Some(slot) = self.area.slot(self.me()) {
            slot.keep(message);
        }
    }

    /// As [`crate::smp::Engine::hold_on`]: there is no CPU to come back.
    pub fn hold_on(&self, _report: impl FnMut(Stop<'area>)) -> ! {
        self.ops.mask_interrupts();
        loop {
            self.ops.relax();
        }
    }

    fn me(&self) -> CpuId {
        self.ops.this_cpu().unwrap_or(CpuId::BOOT)
    }

    fn stop_as(&self, reason: Reason, words: Option<&'static str>) -> Stop<'area> {
        self.ops.mask_interrupts();
        let me = self.me();
        if let Some((words, slot)) = words.zip(self.area.slot(me)) {
            slot.point_to(words);
        }
        self.area.sign();
        let latch = &self.area.header.latch;
        // The owner is the same whatever the hardware calls this CPU, so there is no second one to lose to.
        let (ticket, how) = match latch.claim(Owner::of(Some(CpuId::BOOT), || 0), reason) {
            Claim::Again(ticket, Phase::Done) => (ticket, How::AlreadyDone),
            Claim::Again(ticket, _) => (ticket, How::Reentered),
            Claim::First(ticket) | Claim::Raised(ticket) => (ticket, How::First),
            Claim::Lost => return Stop::new(self.area, 0, Verdict::Stopped, How::AlreadyDone),
        };
        if how != How::AlreadyDone {
            self.finish(me, ticket, how);
        }
        Stop::new(self.area, ticket.generation, Verdict::Stopped, how)
    }

    fn finish(&self, me: CpuId, ticket: crate::latch::Ticket, how: How) {
        let header = self.area.header;
        header.began_at.set(self.ops.now());
        if let Some(slot) = self.area.slot(me) {
            self.save_registers(slot);
        }
        if how == How::Reentered {
            header.reentries.fetch_add(1, RELAXED);
        }
        let verdict = Verdict::Stopped.pack(u16::from(ticket.generation) << 8);
        header.verdict.store(verdict, Ordering::Release);
        // Cannot be lost: there is nobody to lose it to.
        let _ = header.latch.advance(ticket, Phase::Done);
    }

    fn save_registers(&self, slot: &Slot) {
        slot.via.store(Via::Owner.code(), RELAXED);
        if slot.saved.load(Ordering::Relaxed) == saved::NONE {
            slot.saved.store(saved::WRITING, Ordering::Relaxed);
            // SAFETY: there is one CPU, and it has not been here before.
            unsafe { slot.registers.with_mut(|registers| self.ops.save_regs(registers)) };
            slot.saved.store(WHOLE, Ordering::Release);
        }
    }
}
