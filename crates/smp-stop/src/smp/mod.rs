//! The engine for more than one CPU. A UP build instantiates none of it.
//!
//! [`Engine`] is a pair of references and is made where it is needed: in the panic path, in the signal's handler, at the
//! gate. All state is in the [`StopArea`](crate::StopArea).

mod account;
mod deadline;
mod follow;
mod lead;
mod ops;
mod targets;
mod wait;

use core::fmt;

use cpumask::CpuId;

pub use ops::{Bound, Limits, Rung, SignalError, SmpStopOps};
pub use targets::Targets;

use crate::area::{Area, Slot};
use crate::latch::{Claim, Owner, Phase, Reason, Ticket};
use crate::mutants::mutant;
use crate::outcome::{How, Stop};
use crate::report::{RungKind, Unavailable, Verdict, Via};
use crate::sync::{Ordering, RELAXED};
use crate::word::{CpuState, Generation};

/// How often an owner may fail inside the stop and still go on with it.
const MAX_REENTRIES: u32 = 3;

/// The engine: an area, and a machine as the executing CPU sees it, with the frame that its handler has. What a stop returns
/// borrows the area alone.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing by itself"]
pub struct Engine<'area, 'ops, O> {
    area: Area<'area>,
    ops: &'ops O,
}

/// A claim to the stop, while it is good.
struct Lead {
    me: Option<CpuId>,
    ticket: Ticket,
    /// The rung to begin with: those below were tried, by this owner before it failed or by one that died.
    first_rung: usize,
    /// How often an owner failed inside the stop before this attempt.
    reentries: u8,
}

impl Lead {
    /// Numbers this attempt's account: a later owner's is higher, and so is a later one of the same owner's.
    fn round(&self) -> u16 {
        u16::from(self.ticket.generation) << 8 | u16::from(self.reentries)
    }
}

impl<'area, 'ops, O: SmpStopOps> Engine<'area, 'ops, O> {
    /// The engine for the executing CPU.
    pub fn new(area: impl Into<Area<'area>>, ops: &'ops O) -> Self {
        Self {
            area: area.into(),
            ops,
        }
    }

    /// Stops all other CPUs, or parks the caller because somebody else is stopping them.
    ///
    /// Returns on one CPU only, with interrupts off: on the owner, once every other CPU is accounted for. Every other
    /// caller answers to the owner and parks: its registers are saved, those that [`StopOps::save_regs`] finds. Should the
    /// owner die before it is done, one of them returns in its stead.
    ///
    /// May be called from any context, with any locks held, on a CPU in any state, and again from inside itself.
    ///
    /// [`StopOps::save_regs`]: crate::StopOps::save_regs
    pub fn stop(&self, reason: Reason) -> Stop<'area> {
        self.stop_as(reason, None)
    }

    /// As [`Self::stop`], for a reason that can be said in words which lie in the kernel's image. They are not copied, so that
    /// this costs next to nothing, and a CPU that takes the stop over finds them; so does a reader of the kernel's memory,
    /// while one who has the report alone finds where they are, unless [`Self::set_message`] is called once all stand.
    pub fn stop_saying(&self, reason: Reason, words: &'static str) -> Stop<'area> {
        self.stop_as(reason, Some(words))
    }

    /// Keeps what this CPU is about to stop for: [`crate::MESSAGE_LEN`] bytes of it, in the CPU's slot. The first message that
    /// a CPU keeps stays. To be called just before [`Self::stop`]: should the CPU lose the stop, or die of it, its message is
    /// there for whoever speaks. Masks the interrupts, as a stop does.
    pub fn set_message(&self, message: &dyn fmt::Display) {
        self.ops.mask_interrupts();
        if let Some(slot) = self.slot(self.ops.this_cpu()) {
            slot.keep(message);
        }
    }

    #[inline(always)]
    fn stop_as(&self, reason: Reason, words: Option<&'static str>) -> Stop<'area> {
        self.ops.mask_interrupts();
        let me = self.ops.this_cpu();
        if let Some((words, slot)) = words.zip(self.slot(me)) {
            slot.point_to(words);
        }
        let owner = self.name(me);
        if self.is_answering(me, owner) {
            self.park(me, Via::Second);
        }
        self.area.sign();
        match self.area.header.latch.claim(owner, reason) {
            Claim::First(ticket) => self.begin(me, ticket, How::First),
            Claim::Raised(ticket) => self.begin(me, ticket, How::Raised),
            Claim::Again(ticket, phase) => self.again(me, ticket, phase),
            Claim::Lost => self.lose(me, Via::Second),
        }
    }

    /// The handler of a stop signal, and the part of every non-maskable interrupt's handler that comes first: answers and
    /// parks if the executing CPU has been asked to stop. Returns `None` if the signal was not for it: it is late, was sent
    /// twice, or is about something else. Returns `Some` if the owner of the stop died and this CPU stood by: it now
    /// owns a stop it knows nothing about, and should report it and end the machine.
    #[must_use = "the owner died: the machine is this CPU's"]
    pub fn signalled(&self, kind: RungKind) -> Option<Stop<'area>> {
        self.answer_if_asked(Via::Signal(kind).code())
    }

    /// As [`Self::signalled`], for a CPU that waits for something with interrupts off, or has a regular tick: it can be
    /// stopped without a signal. The caller cannot be moved to another CPU.
    #[must_use = "the owner died: the machine is this CPU's"]
    pub fn poll(&self) -> Option<Stop<'area>> {
        self.answer_if_asked(Via::Poll.code())
    }

    /// What an owner does when it is through with the machine and the machine stays: for ever it looks whether a CPU that was
    /// silent has come back and taken the stop away with a higher reason, and follows it. Should that one die in turn, this
    /// CPU has the machine again, and `report` is called with the new stop.
    pub fn hold_on(&self, mut report: impl FnMut(Stop<'area>)) -> ! {
        self.ops.mask_interrupts();
        loop {
            if let Some(stop) = self.poll() {
                report(stop);
            }
            self.ops.relax();
        }
    }

    /// For machines whose CPUs leave reset together, so that there is no other to start `cpu`, the executing one: releases it,
    /// as its first act once it knows its number, and returns what it is to come online with. Parks it if the machine is being
    /// stopped: it is off by its word until then. Interrupts are off, and no other CPU starts this one.
    ///
    /// Before this call the CPU is one that was never released, and in no account: the instructions from reset to here are
    /// a gap in I1. Where one CPU knows how many others there are, and lets them go on from a loop that touches no memory of
    /// the kernel's, its [`begin_start`](crate::CpuWord::begin_start) leaves none.
    pub fn begin_own_start(&self, cpu: CpuId) -> Generation {
        let Some(slot) = self.area.slot(cpu) else {
            self.vanish();
        };
        match slot.word.begin_start() {
            Ok(generation) => generation,
            Err(refused) if refused.found.state == CpuState::Off => self.call_off(slot),
            // There is a start of this CPU by another, which is none of this one's business.
            Err(_) => self.vanish(),
        }
    }

    /// The online gate. Returns once `cpu`, the executing one, is online; parks it if a stop has been asked for, if the
    /// start was revoked, or if `generation` is that of an earlier start. One that is off by its word came unasked: it parks
    /// and its word stays as it is, so that it can be started yet. Interrupts are off.
    pub fn come_online(&self, cpu: CpuId, generation: Generation) {
        let Some(word) = self.area.word(cpu) else {
            self.vanish();
        };
        match word.come_online(generation) {
            Ok(()) => {}
            Err(refused) if refused.found.state == CpuState::Off && !mutant!(UnaskedParks) => self.vanish(),
            Err(refused) if refused.found.generation == generation => self.park(Some(cpu), Via::Gate),
            // The word is about a later start of this CPU, which is none of this one's business.
            Err(_) => self.vanish(),
        }
    }

    /// The end of the offline path, for a CPU that powers itself off without anybody to see to it: its word says OFF
    /// afterwards, and it must stop executing. Parks it instead if a stop has been asked for.
    pub fn go_off(&self, cpu: CpuId) {
        let gone = self.area.word(cpu).is_some_and(|word| word.go_off().is_ok());
        if !gone {
            self.park(Some(cpu), Via::Offline);
        }
    }

    fn answer_if_asked(&self, via: u32) -> Option<Stop<'area>> {
        let cpu = self.ops.this_cpu()?;
        let slot = self.area.slot(cpu)?;
        // An owner may have been asked, by the owner it took the stop from.
        if !slot.word.view().is_asked() || self.owns(self.name(Some(cpu))) {
            return None;
        }
        self.ops.mask_interrupts();
        Some(self.follow(cpu, slot, via))
    }

    /// The executing CPU as an owner is known by.
    fn name(&self, me: Option<CpuId>) -> Owner {
        Owner::of(me, || self.ops.hw_id())
    }

    fn owns(&self, me: Owner) -> bool {
        self.area.header.latch.is_owned_by(me)
    }

    /// Whether `me` is past the point of no return, and faulted there: it has nothing to say any more.
    fn is_answering(&self, me: Option<CpuId>, owner: Owner) -> bool {
        let answering = |slot: &Slot| {
            matches!(
                slot.word.state(),
                CpuState::Saving | CpuState::Saved | CpuState::Parked
            )
        };
        self.slot(me).is_some_and(answering) && !self.owns(owner)
    }

    fn slot(&self, cpu: Option<CpuId>) -> Option<&'area Slot> {
        self.area.slot(cpu?)
    }

    /// A new owner.
    fn begin(&self, me: Option<CpuId>, ticket: Ticket, how: How) -> Stop<'area> {
        if let Some(slot) = self.slot(me) {
            slot.word.reappear();
        }
        self.area.header.began_at.set(self.ops.now());
        let lead = Lead {
            me,
            ticket,
            first_rung: 0,
            reentries: 0,
        };
        self.lead(lead, how)
    }

    /// An owner that failed inside the stop, or comes again after it (I7): what is left is done.
    fn again(&self, me: Option<CpuId>, ticket: Ticket, phase: Phase) -> Stop<'area> {
        let header = self.area.header;
        let verdict = Verdict::from_raw(header.verdict.load(Ordering::Acquire));
        if let (Phase::Done, Some(verdict)) = (phase, verdict) {
            return Stop::new(self.area, ticket.generation, verdict, How::AlreadyDone);
        }
        let before = header.reentries.fetch_add(1, RELAXED).min(MAX_REENTRIES);
        let lead = Lead {
            me,
            ticket,
            first_rung: self.next_rung(ticket.generation),
            reentries: before as u8 + 1,
        };
        if before < MAX_REENTRIES {
            return self.lead(lead, How::Reentered);
        }
        let verdict = Verdict::Unavailable(Unavailable::Reentered);
        self.publish(&lead, verdict);
        Stop::new(self.area, ticket.generation, verdict, How::Reentered)
    }
}
