//! What a word says, and how it is packed into 32 bits.
//!
//! Bits 0-3 are the [`CpuState`], 4-7 the [`Origin`], 8-31 the [`Generation`]. A word of zeros is a CPU that was never
//! started, so that an area of zeros is a valid area.

use core::fmt;

/// What a CPU is doing, as far as the rest of the machine may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CpuState {
    /// Not running: never started, or gone through the offline path.
    Off = 0,
    /// Released, and not yet at the gate.
    Starting = 1,
    /// Past the gate: runs threads, takes interrupts.
    Online = 2,
    /// Asked to stop, has not answered.
    StopReq = 3,
    /// Answering: saves its registers.
    Saving = 4,
    /// Stopped for good, in the park loop. Its last act before was to write this.
    Parked = 5,
    /// Was released, did not arrive in time and is no longer waited for. If it arrives it parks at the gate.
    Lost = 6,
    /// On its way off: no longer online, still running.
    Dying = 7,
    /// Has answered and saved its registers, and stands by until the owner of the stop is known to have lived through it.
    Saved = 8,
}

impl CpuState {
    const ALL: [Self; 9] = [
        Self::Off,
        Self::Starting,
        Self::Online,
        Self::StopReq,
        Self::Saving,
        Self::Parked,
        Self::Lost,
        Self::Dying,
        Self::Saved,
    ];

    /// The state of this number, as stored in a word; `None` if there is none.
    pub const fn from_code(code: u32) -> Option<Self> {
        if (code as usize) < Self::ALL.len() {
            Some(Self::ALL[code as usize])
        } else {
            None
        }
    }

    /// The name as printed in tables and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Online => "online",
            Self::StopReq => "stop-requested",
            Self::Saving => "saving",
            Self::Parked => "parked",
            Self::Lost => "lost",
            Self::Dying => "dying",
            Self::Saved => "saved",
        }
    }
}

impl fmt::Display for CpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a CPU was when it was asked to stop, or answered unasked: why it is stuck, if it never answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Origin {
    /// Nobody asked.
    None = 0,
    /// It was off, and from then on may not be started.
    Barred = 1,
    /// On its way up.
    Starting = 2,
    /// Online.
    Online = 3,
    /// On its way off.
    Dying = 4,
    /// Given up while on its way up.
    Lost = 5,
}

impl Origin {
    const ALL: [Self; 6] = [
        Self::None,
        Self::Barred,
        Self::Starting,
        Self::Online,
        Self::Dying,
        Self::Lost,
    ];

    /// The origin of this number, as stored in a word; `None` if there is none.
    pub const fn from_code(code: u32) -> Option<Self> {
        if (code as usize) < Self::ALL.len() {
            Some(Self::ALL[code as usize])
        } else {
            None
        }
    }

    /// The origin of a CPU that is asked in this state; `None` where a request changes nothing.
    pub(super) const fn of(state: CpuState) -> Option<Self> {
        match state {
            CpuState::Starting => Some(Self::Starting),
            CpuState::Online => Some(Self::Online),
            CpuState::Dying => Some(Self::Dying),
            CpuState::Lost => Some(Self::Lost),
            _ => None,
        }
    }
}

/// Which start of a CPU is meant; raised by one at each [`begin_start`](super::CpuWord::begin_start), wraps after 2^24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the CPU that is started comes online with it; a start that came to nothing is cancelled or revoked with it"]
pub struct Generation(u32);

impl Generation {
    const MAX: u32 = (1 << 24) - 1;
    /// A CPU that was never started.
    pub(super) const NEVER: Self = Self(0);

    /// The number, to hand to the CPU being started.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The generation a started CPU was handed; bits above the 24 that count are dropped.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw & Self::MAX)
    }

    /// The next one. It is never [`Self::NEVER`], not even when it wraps: a CPU that was released stays one that was.
    pub(super) const fn next(self) -> Self {
        match (self.0 + 1) & Self::MAX {
            0 => Self(1),
            n => Self(n),
        }
    }
}

/// What the lowest eight bits of a word mean.
static MEANINGS: [(CpuState, Origin); 256] = {
    let mut meanings = [(CpuState::Off, Origin::None); 256];
    let mut raw = 0;
    while raw < meanings.len() {
        let view = View::decode(raw as u32);
        meanings[raw] = (view.state, view.origin);
        raw += 1;
    }
    meanings
};

/// A word as read at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The state.
    pub state: CpuState,
    /// What it was when it was asked to stop.
    pub origin: Origin,
    /// Which start of the CPU it belongs to.
    pub generation: Generation,
}

impl View {
    /// A CPU that was never started.
    pub(super) const NEVER: Self = Self {
        state: CpuState::Off,
        origin: Origin::None,
        generation: Generation::NEVER,
    };

    pub(super) const fn pack(self) -> u32 {
        self.generation.0 << 8 | (self.origin as u32) << 4 | self.state as u32
    }

    /// Reads a word; `None` if it is none that this version writes.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        match (CpuState::from_code(raw & 0xf), Origin::from_code(raw >> 4 & 0xf)) {
            (Some(state), Some(origin)) => Some(Self {
                state,
                origin,
                generation: Generation(raw >> 8),
            }),
            _ => None,
        }
    }

    /// Reads a word of this crate's own. One that memory corruption made meaningless is that of a CPU about which nothing
    /// is known but that it may run.
    pub(super) const fn decode(raw: u32) -> Self {
        match Self::from_raw(raw) {
            Some(view) => view,
            None => Self {
                state: CpuState::Lost,
                origin: Origin::None,
                generation: Generation(raw >> 8),
            },
        }
    }

    /// As [`Self::decode`], by one look into a table: a stop does this some ten times for each CPU.
    pub(super) fn unpack(raw: u32) -> Self {
        let (state, origin) = MEANINGS[(raw & 0xff) as usize];
        Self {
            state,
            origin,
            generation: Generation(raw >> 8),
        }
    }

    /// Whether the CPU was ever released (the boot CPU: whether it ever came online), also if it has gone off since.
    pub const fn was_released(self) -> bool {
        self.generation.0 != Generation::NEVER.0 || !matches!(self.state, CpuState::Off)
    }

    /// Whether the CPU has been asked to stop and has not begun to answer.
    pub const fn is_asked(self) -> bool {
        matches!(self.state, CpuState::StopReq)
    }

    /// Whether the CPU has answered: it does nothing any more but wait for the owner to fail, or nothing at all.
    pub const fn has_answered(self) -> bool {
        matches!(self.state, CpuState::Off | CpuState::Parked | CpuState::Saved)
    }
}

/// A change was not made: the word held something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the word held.
    pub found: View,
}
