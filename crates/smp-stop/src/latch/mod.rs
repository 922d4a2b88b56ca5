//! Who stops the machine, and why: one word, changed by compare-exchange only.
//!
//! There is one latch, and whoever's claim stands in it is the owner. The claim passes on in two ways: a CPU with a
//! higher reason takes it, or the one that stands by takes it from an owner that died. Each time the generation rises, so
//! that the former owner, should it still run, finds its ticket void at the next look. It rises at most four times: two
//! higher reasons, one death.

#[cfg(all(test, not(any(feature = "loom", feature = "shuttle"))))]
mod tests;
mod view;

pub use view::{Hold, Owner, Phase, Reason};

use crate::mutants::mutant;
use crate::sync::{AtomicU32, Ordering, const_fn};

/// The latch.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Latch(AtomicU32);

/// Proof of a claim, good until the generation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    owner: Owner,
    pub(crate) generation: u8,
}

impl Ticket {
    /// Whether a latch that holds `raw` is still this claim's.
    const fn is_good_in(self, raw: u32) -> bool {
        self.owner.is_in(raw) && (raw >> 6) as u8 == self.generation
    }
}

/// The latch is somebody else's now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The latch was free.
    First(Ticket),
    /// The reason is higher than that of the owner so far, who is one no more.
    Raised(Ticket),
    /// The caller is the owner already, this far.
    Again(Ticket, Phase),
    /// Somebody else is, with as good a reason.
    Lost,
}

impl Hold {
    const fn ticket(self) -> Ticket {
        Ticket {
            owner: self.owner,
            generation: self.generation,
        }
    }

    /// The latch after `owner` took it from whoever has it: all is to be done once more. Whoever stands by goes on doing
    /// so, unless it was told already that it need not.
    fn passed_to(self, owner: Owner, reason: Reason) -> Self {
        Self {
            reason,
            phase: Phase::Stopping,
            deputy: self.deputy && self.phase == Phase::Stopping,
            generation: self.generation.wrapping_add(1),
            owner,
            ..self
        }
    }

    /// The first claim.
    const fn first(owner: Owner, reason: Reason) -> Self {
        Self {
            reason,
            phase: Phase::Stopping,
            deputy: false,
            taken_over: false,
            generation: 1,
            owner,
        }
    }
}

impl Latch {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self(AtomicU32::new(0))
        }
    }

    pub(crate) fn raw(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Who has it; `None` while nobody stops anything.
    pub(crate) fn hold(&self) -> Option<Hold> {
        Hold::from_raw(self.raw())
    }

    /// Whether `ticket` is still good.
    pub(crate) fn honours(&self, ticket: Ticket) -> bool {
        mutant!(OwnerNeverLooks) || ticket.is_good_in(self.raw())
    }

    /// Whether the stop is `cpu`'s.
    pub(crate) fn is_owned_by(&self, cpu: Owner) -> bool {
        cpu.is_in(self.raw())
    }

    /// The election.
    pub(crate) fn claim(&self, me: Owner, reason: Reason) -> Claim {
        let mut raw = self.raw();
        loop {
            let (claim, next) = judge(Hold::from_raw(raw), me, reason);
            match self.exchange(raw, next.map_or(raw, Hold::pack)) {
                Ok(()) => return claim,
                Err(changed) => raw = changed,
            }
        }
    }

    /// Whether an offer to stand by may be taken: all CPUs but the first learn here that it is not.
    pub(crate) fn wants_deputy(&self) -> bool {
        let wanted = Hold::is_deputy_wanted(self.raw()) || mutant!(TakeOverTwice);
        wanted && !mutant!(NobodyStandsBy)
    }

    /// Offers to stand by for the owner's death: the first to offer does.
    pub(crate) fn stand_by(&self) -> bool {
        let free = |hold: &Hold| !hold.deputy && !hold.taken_over || mutant!(TakeOverTwice);
        let wanted = |hold: &Hold| hold.phase == Phase::Stopping && free(hold);
        self.change(|hold| wanted(&hold).then_some(Hold { deputy: true, ..hold }))
            .is_ok()
    }

    /// Takes the stop from an owner that, in all the time it could need, did not get `seen` any further.
    pub(crate) fn take_over(&self, seen: Hold, me: Owner) -> Result<Ticket, Lost> {
        let dead = |hold: &Hold| {
            let once = !hold.taken_over || mutant!(TakeOverTwice);
            hold.phase == Phase::Stopping && hold.ticket() == seen.ticket() && once
        };
        let mine = |hold: Hold| Hold {
            taken_over: true,
            ..hold.passed_to(me, hold.reason)
        };
        self.change(|hold| dead(&hold).then(|| mine(hold)))
            .map(|hold| mine(hold).ticket())
    }

    /// The owner gets to the next phase.
    pub(crate) fn advance(&self, ticket: Ticket, phase: Phase) -> Result<(), Lost> {
        let mut raw = self.raw();
        while ticket.is_good_in(raw) || mutant!(DoneUnchecked) {
            match self.exchange(raw, phase.at_least_in(raw)) {
                Ok(()) => return Ok(()),
                Err(changed) => raw = changed,
            }
        }
        Err(Lost)
    }

    /// One compare-exchange loop over a latch that is held. Returns what was replaced.
    fn change(&self, next: impl Fn(Hold) -> Option<Hold>) -> Result<Hold, Lost> {
        let mut raw = self.raw();
        loop {
            let hold = Hold::from_raw(raw).ok_or(Lost)?;
            let new = next(hold).ok_or(Lost)?;
            match self.exchange(raw, new.pack()) {
                Ok(()) => return Ok(hold),
                Err(changed) => raw = changed,
            }
        }
    }

    fn exchange(&self, old: u32, new: u32) -> Result<(), u32> {
        if old == new {
            return Ok(());
        }
        self.0
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire)
            .map(drop)
    }
}

/// What a claim comes to, and what the latch becomes if it changes.
fn judge(held: Option<Hold>, me: Owner, reason: Reason) -> (Claim, Option<Hold>) {
    let Some(hold) = held else {
        let next = Hold::first(me, reason);
        return (Claim::First(next.ticket()), Some(next));
    };
    if hold.owner == me && !mutant!(ReentryParks) {
        let reason = match mutant!(ReasonFalls) {
            true => reason,
            false => reason.max(hold.reason),
        };
        return (
            Claim::Again(hold.ticket(), hold.phase),
            Some(Hold { reason, ..hold }),
        );
    }
    if mutant!(LoserWalksOn) {
        return (Claim::First(hold.ticket()), None);
    }
    if reason > hold.reason && !mutant!(RaiseIgnored) {
        let next = hold.passed_to(me, reason);
        return (Claim::Raised(next.ticket()), Some(next));
    }
    (Claim::Lost, None)
}
