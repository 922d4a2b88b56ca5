//! What a machine is like and what befalls it: all of a schedule but the dice.

use arrayvec::ArrayVec;
use smp_stop::{Point, Reason, RungKind};

/// Most CPUs of a machine.
pub const MAX_CPUS: usize = 64;

/// Nanoseconds.
pub type Ns = u64;

/// Nanoseconds in a microsecond.
pub const US: Ns = 1_000;

/// A machine, and what befalls it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the dice start from. The same plan with the same seed runs the same, to the last step.
    pub seed: u64,
    /// The CPUs; number 0 booted the machine.
    pub cpus: ArrayVec<CpuPlan, MAX_CPUS>,
    /// The ways to stop another CPU.
    pub rungs: ArrayVec<RungKind, 3>,
    /// Whether the hardware says which CPUs are off.
    pub hw_view: bool,
    /// Whether it says so, too, of a CPU that was released and has not executed yet.
    pub hw_lags: bool,
    /// Whether parking turns a CPU off.
    pub power_off: bool,
    /// How the clock misbehaves.
    pub clock: Clock,
    /// How signals misbehave.
    pub signals: Signals,
    /// When the machine is looked at for the last time.
    pub horizon: Ns,
}

/// One CPU.
#[derive(Clone, Debug)]
pub struct CpuPlan {
    /// Where it is when the machine starts.
    pub start: Start,
    /// What it does, in order; then it idles.
    pub acts: ArrayVec<Act, 6>,
    /// Where it is tripped up.
    pub traps: ArrayVec<Trap, 2>,
    /// Whether it takes no non-maskable interrupts (firmware holds it).
    pub deaf: bool,
    /// Whether it is a hypervisor's, in the mode in which hardware holds a hard stop back until the CPU leaves it.
    pub virt: bool,
    /// Whether turning it off does not work, so that it parks in the park page.
    pub power_off_denied: bool,
    /// Whether the kernel does not know its number.
    pub unknown: bool,
}

/// Where a CPU is when the machine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Online.
    Online,
    /// Off, never started; it may be started by an act, and arrives so long after that.
    Off {
        /// From its release to the gate; `None`: never.
        arrives_after: Option<Ns>,
    },
    /// Off, never started; the hardware starts it all the same, so long after the machine began. It may also be started by an
    /// act.
    Unasked {
        /// From the start of the machine to the door.
        arrives_after: Ns,
    },
    /// Released already.
    Starting {
        /// From the start of the machine to the gate; `None`: never.
        arrives_after: Option<Ns>,
    },
}

/// One thing a CPU does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Works with interrupts on.
    Work(Ns),
    /// Works with interrupts off.
    Masked(Ns),
    /// Works with interrupts off, and looks at its word now and then.
    Polls(Ns),
    /// Does not execute at all, as the CPU of a virtual machine that nobody runs.
    Descheduled(Ns),
    /// Turns its interrupts off for good, and works on.
    Deafens,
    /// Stops the machine.
    Stop(Reason),
    /// Takes the path off, which takes so long.
    Offline(Ns),
    /// Starts a CPU that is off.
    Start(u8),
    /// Gives up a CPU that was started.
    Revoke(u8),
}

/// Something happens to a CPU at a place in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// The place.
    pub at: Place,
    /// How often it is passed before.
    pub skip: u8,
    /// How often in a row it happens then.
    pub times: u8,
    /// What happens.
    pub what: Mishap,
}

/// A place in the engine, or in a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// See [`Point`].
    Elected,
    /// See [`Point`].
    Asked,
    /// Before the hook that sends a signal does anything.
    Signal,
    /// See [`Point`].
    Signalled,
    /// In a wait.
    Relax,
    /// In the hook that asks the hardware about a CPU.
    HwOff,
    /// See [`Point`].
    Released,
    /// See [`Point`].
    Finishing,
    /// The stop has returned, and is being reported.
    Reporting,
    /// See [`Point`].
    Answering,
    /// Halfway through saving the registers.
    Saving,
    /// See [`Point`].
    StandingBy,
    /// In the quiesce hook.
    Quiescing,
    /// See [`Point`].
    Acknowledging,
}

impl Place {
    /// All, on whichever side of a stop.
    pub const ALL: [Self; 14] = [
        Self::Elected,
        Self::Asked,
        Self::Signal,
        Self::Signalled,
        Self::Relax,
        Self::HwOff,
        Self::Released,
        Self::Finishing,
        Self::Reporting,
        Self::Answering,
        Self::Saving,
        Self::StandingBy,
        Self::Quiescing,
        Self::Acknowledging,
    ];

    /// The place that a point of the engine is.
    pub fn of(point: Point) -> Option<Self> {
        Some(match point {
            Point::Elected => Self::Elected,
            Point::Asked(_) => Self::Asked,
            Point::Signalled(_) => Self::Signalled,
            Point::Released => Self::Released,
            Point::Finishing => Self::Finishing,
            Point::Answering => Self::Answering,
            Point::StandingBy => Self::StandingBy,
            Point::Acknowledging => Self::Acknowledging,
            Point::Signalling(_) | Point::RegistersSaved => return None,
        })
    }
}

/// What happens to a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It hangs, with interrupts off; a non-maskable one gets through unless it is deaf.
    Hangs,
    /// It faults: the handler panics, and never returns.
    Faults,
    /// It takes that long, and nothing gets through.
    Sleeps(Ns),
}

/// How the clock misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// It does not.
    Runs,
    /// It stands still from then on.
    Stops(Ns),
    /// It is set, at that time, forward or back by so much.
    Steps(Ns, i64),
    /// It moves only every so often.
    Ticks(Ns),
}

/// How signals misbehave, in percent of those that are maskable and in thousandths of those that are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Never arrive.
    pub lost: u8,
    /// Arrive twice.
    pub twice: u8,
    /// Arrive later, by up to so much.
    pub late: u8,
    /// See `late`.
    pub late_by: Ns,
    /// The kind that cannot be sent, because its handler could not be set up.
    pub refused: Option<RungKind>,
}

impl CpuPlan {
    /// A CPU that is online and idles.
    pub fn idle() -> Self {
        Self {
            start: Start::Online,
            acts: ArrayVec::new(),
            traps: ArrayVec::new(),
            deaf: false,
            virt: false,
            power_off_denied: false,
            unknown: false,
        }
    }

    /// A CPU that is online and does this, then idles.
    pub fn does(acts: impl IntoIterator<Item = Act>) -> Self {
        Self {
            acts: acts.into_iter().collect(),
            ..Self::idle()
        }
    }

    /// The same, tripped up once.
    pub fn trapped(mut self, at: Place, what: Mishap) -> Self {
        self.traps.push(Trap {
            at,
            skip: 0,
            times: 1,
            what,
        });
        self
    }

    /// The same, starting from there.
    pub fn from(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Whether everything on this CPU goes as it should.
    pub fn is_sound(&self) -> bool {
        self.traps.is_empty() && !self.unknown
    }
}

impl Plan {
    /// A sound machine, with interrupts and non-maskable ones.
    pub fn new(seed: u64, cpus: impl IntoIterator<Item = CpuPlan>) -> Self {
        Self {
            seed,
            cpus: cpus.into_iter().collect(),
            rungs: [RungKind::Interrupt, RungKind::NonMaskable].into_iter().collect(),
            hw_view: false,
            hw_lags: false,
            power_off: false,
            clock: Clock::Runs,
            signals: Signals::default(),
            horizon: 20_000 * US,
        }
    }
}
