//! Seeded faults: what this crate would be if somebody had thought less. A test switches one on and must see it caught;
//! a model that catches none of them proves nothing. Compiled for tests only (feature `mutants`).

extern crate std;

use std::cell::Cell;
use std::thread_local;

/// One fault each, most of them real: kernels that run today have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Nobody is asked when no more than one CPU is online: the starting CPU of two panics and the other runs on.
    CountInsteadOfState,
    /// The acknowledgement comes before the registers are saved.
    AckBeforeSave,
    /// Coming online succeeds although a stop has been asked for.
    GateRemoved,
    /// Coming online succeeds with the generation of an earlier start.
    StaleGeneration,
    /// A stop does not forbid later starts of CPUs that are off.
    OffNotBarred,
    /// CPUs on their way up are nobody's concern.
    StartingNotAsked,
    /// A CPU on its way off counts as off.
    DyingIsOff,
    /// A crash that meets a plain stop parks, and the machine is never crashed.
    RaiseIgnored,
    /// A second stopper goes on as if it were the first.
    LoserWalksOn,
    /// An owner that comes again is treated as a second stopper, and parks for ever.
    ReentryParks,
    /// An owner does not look whether it still is the owner.
    OwnerNeverLooks,
    /// The reason may fall.
    ReasonFalls,
    /// Everybody may stand by, and take the stop over, as often as they like.
    TakeOverTwice,
    /// Nobody stands by for an owner that dies.
    NobodyStandsBy,
    /// Registers are saved again when a second signal arrives.
    SaveTwice,
    /// The acknowledgement does not publish what was written before it.
    RelaxedAck,
    /// A CPU that did not answer is left out of the account.
    SilentUnnamed,
    /// Everybody gets the stronger signal, whether it answered or not.
    SignalEverybody,
    /// A wait trusts the clock alone.
    ClockAlone,
    /// The result is published without asking whether the stop is still this CPU's.
    DoneUnchecked,
    /// The CPU that stood by parks, and nobody waits until it is off.
    DeputyLeftOn,
    /// What a former owner writes about a CPU counts, though it comes after the account of its successor.
    StaleNote,
    /// A CPU that was released and never seen counts as off where the hardware calls it that, and comes later.
    OffUnseen,
    /// A CPU that comes to the gate without having been released parks for good, and can never be started.
    UnaskedParks,
    /// A CPU that was never released is nobody's concern, whatever the hardware says.
    UnaskedUnnamed,
    /// At the door the look whether a start is on, and the note that the CPU has come, are two steps.
    DoorAjar,
    /// A message is there before it is written.
    WordsEarly,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::CountInsteadOfState,
        Self::AckBeforeSave,
        Self::GateRemoved,
        Self::StaleGeneration,
        Self::OffNotBarred,
        Self::StartingNotAsked,
        Self::DyingIsOff,
        Self::RaiseIgnored,
        Self::LoserWalksOn,
        Self::ReentryParks,
        Self::OwnerNeverLooks,
        Self::ReasonFalls,
        Self::TakeOverTwice,
        Self::NobodyStandsBy,
        Self::SaveTwice,
        Self::RelaxedAck,
        Self::SilentUnnamed,
        Self::SignalEverybody,
        Self::ClockAlone,
        Self::DoneUnchecked,
        Self::DeputyLeftOn,
        Self::StaleNote,
        Self::OffUnseen,
        Self::UnaskedParks,
        Self::UnaskedUnnamed,
        Self::DoorAjar,
        Self::WordsEarly,
    ];
}

thread_local! {
    static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// Switches a fault on, for the calling thread (and all that a model checker runs on it).
pub fn activate(mutant: Option<Mutant>) {
    ACTIVE.set(mutant);
}

pub(crate) fn is_active(mutant: Mutant) -> bool {
    ACTIVE.get() == Some(mutant)
}

/// Whether the named fault is switched on.
macro_rules! mutant {
    ($name:ident) => {
        $crate::mutants::is_active($crate::mutants::Mutant::$name)
    };
}
pub(crate) use mutant;
