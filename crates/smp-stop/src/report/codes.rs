//! The numbers in a report, and what they mean.

use core::fmt;

/// What a signal gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RungKind {
    /// Reaches a CPU that takes interrupts: the polite one. Locks get released, the console stays usable.
    Interrupt = 1,
    /// Reaches a CPU that has its interrupts off.
    NonMaskable = 2,
    /// Needs no cooperation: the CPU stops whatever it does. It cannot answer, so [`hw_off`](crate::smp::SmpStopOps::hw_off) does.
    Hardware = 3,
}

impl RungKind {
    /// The kind of this number, as stored in a report; `None` if there is none.
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Interrupt),
            2 => Some(Self::NonMaskable),
            3 => Some(Self::Hardware),
            _ => None,
        }
    }

    /// The name as printed in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupt",
            Self::NonMaskable => "non-maskable",
            Self::Hardware => "hardware",
        }
    }
}

/// How a CPU came to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// It refused itself at the online gate, or was refused there.
    Gate,
    /// It wanted to stop the others itself, and was second.
    Second,
    /// It owned the stop until somebody with a higher reason, or a belief in its death, took it.
    Handover,
    /// It looked at its own word.
    Poll,
    /// On its way off it found that it had been asked.
    Offline,
    /// It owns the stop.
    Owner,
    /// A signal of this kind.
    Signal(RungKind),
}

impl Via {
    const SIGNAL: u32 = 0x10;

    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Gate => 1,
            Self::Second => 2,
            Self::Handover => 3,
            Self::Poll => 4,
            Self::Offline => 5,
            Self::Owner => 6,
            Self::Signal(kind) => Self::SIGNAL | kind as u32,
        }
    }

    /// The way of this number, as stored in a report; `None` if there is none (0: the CPU has not stopped).
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Gate),
            2 => Some(Self::Second),
            3 => Some(Self::Handover),
            4 => Some(Self::Poll),
            5 => Some(Self::Offline),
            6 => Some(Self::Owner),
            _ => match RungKind::from_code(code ^ Self::SIGNAL) {
                Some(kind) => Some(Self::Signal(kind)),
                None => None,
            },
        }
    }

    /// The name as printed in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Second => "second",
            Self::Handover => "hand-over",
            Self::Poll => "poll",
            Self::Offline => "offline path",
            Self::Owner => "owner",
            Self::Signal(kind) => kind.name(),
        }
    }
}

/// What is wrong with a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Why {
    /// On its way up when the stop began, and not at the gate by its end. If it still comes it parks there.
    StartingLost = 1,
    /// Given up while on its way up, before the stop. If it still comes it parks at the gate.
    Lost = 2,
    /// On its way off when the stop began, and neither gone nor stopped by its end.
    OfflineLost = 3,
    /// Did not take the interrupt, and nothing stronger could be sent.
    IrqOff = 4,
    /// Did not take the non-maskable signal either.
    NmiDeaf = 5,
    /// Was to be stopped by hardware, which does not say that it did.
    HardwareDeaf = 6,
    /// Took the signal, and got no further.
    Stuck = 7,
    /// No signal could be sent.
    NoSignal = 8,
    /// Owned the stop, and was replaced because it got no further.
    OwnerDied = 9,
    /// Said that it was off; the hardware says that it is not.
    StillOn = 10,
    /// Was silent at the end of the stop, and has parked since.
    Late = 11,
    /// Parked, but its registers could not be saved.
    NoRegs = 12,
    /// Was never released, and is on: something started it unasked.
    Unasked = 13,
}

impl Why {
    const ALL: [Self; 13] = [
        Self::StartingLost,
        Self::Lost,
        Self::OfflineLost,
        Self::IrqOff,
        Self::NmiDeaf,
        Self::HardwareDeaf,
        Self::Stuck,
        Self::NoSignal,
        Self::OwnerDied,
        Self::StillOn,
        Self::Late,
        Self::NoRegs,
        Self::Unasked,
    ];

    /// The reason of this number, as stored in a report; `None` if there is none.
    pub const fn from_code(code: u32) -> Option<Self> {
        if code >= 1 && code as usize <= Self::ALL.len() {
            Some(Self::ALL[code as usize - 1])
        } else {
            None
        }
    }

    /// The name as printed in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartingLost => "STARTING_LOST",
            Self::Lost => "LOST",
            Self::OfflineLost => "OFFLINE_LOST",
            Self::IrqOff => "IRQ_OFF",
            Self::NmiDeaf => "NMI_DEAF",
            Self::HardwareDeaf => "HARDWARE_DEAF",
            Self::Stuck => "STUCK",
            Self::NoSignal => "NO_SIGNAL",
            Self::OwnerDied => "OWNER_DIED",
            Self::StillOn => "STILL_ON",
            Self::Late => "LATE",
            Self::NoRegs => "NO_REGS",
            Self::Unasked => "UNASKED",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why there is no account at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Unavailable {
    /// There are CPUs to stop, and no signal could be sent to any.
    NoSignal = 1,
    /// The owner failed inside the stop, and again, and again: it is told to end things without.
    Reentered = 2,
}

impl Unavailable {
    /// A sentence.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoSignal => "no signal could be sent",
            Self::Reentered => "the stop itself failed again and again",
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.reason())
    }
}

/// What a stop came to, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every CPU ever released is the owner, parked, or off.
    Stopped,
    /// Some are not; they are named.
    Partial,
    /// Nothing could be done.
    Unavailable(Unavailable),
}

impl Verdict {
    /// As stored: bits 0-7 the verdict (1, 2, 3), 8-15 why it is the third, 16-31 the round.
    pub(crate) const fn pack(self, round: u16) -> u32 {
        let code = match self {
            Self::Stopped => 1,
            Self::Partial => 2,
            Self::Unavailable(why) => 3 | (why as u32) << 8,
        };
        (round as u32) << 16 | code
    }

    /// Reads what is stored in a report; `None` while there is no verdict, or if it is none.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        match (raw & 0xff, raw >> 8 & 0xff) {
            (1, _) => Some(Self::Stopped),
            (2, _) => Some(Self::Partial),
            (3, 1) => Some(Self::Unavailable(Unavailable::NoSignal)),
            (3, 2) => Some(Self::Unavailable(Unavailable::Reentered)),
            _ => None,
        }
    }

    /// The name as printed in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Partial => "partial",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
