//! What the latch says, and how it is packed into 32 bits.
//!
//! Bits 0-1 are the reason (0: nobody stops anything), 2-3 the phase, 4 whether somebody stands by, 5 whether a dead
//! owner was replaced, 6-13 the generation, 16-31 the owner. A latch of zeros is free.

use core::fmt;

use cpumask::CpuId;

/// Why the machine is stopped. It only rises (I4): a reboot can turn into a panic and a panic into a crash, never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// A planned end: reboot, power-off, halt.
    Reboot = 1,
    /// The kernel failed and says so.
    Panic = 2,
    /// The kernel failed, and another one is about to look at its memory.
    Crash = 3,
}

impl Reason {
    /// The reason of this number, as stored in the latch; `None` if there is none.
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Reboot),
            2 => Some(Self::Panic),
            3 => Some(Self::Crash),
            _ => None,
        }
    }

    /// The name as printed in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reboot => "reboot",
            Self::Panic => "panic",
            Self::Crash => "crash",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How far the stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// The others are being asked, and waited for.
    Stopping = 0,
    /// All that can answer has; whoever stood by may park.
    Released = 1,
    /// The account is complete.
    Done = 2,
}

impl Phase {
    /// The latch that held `raw`, this far or as far as it was.
    pub(super) fn at_least_in(self, raw: u32) -> u32 {
        let further = (raw >> 2 & 3).max(self as u32);
        raw & !(3 << 2) | further << 2
    }
}

/// Whoever owns a stop: a CPU by its number, or, where nobody knows its number, by a digest of what the hardware calls it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Owner(u16);

impl Owner {
    const UNKNOWN: u16 = 0x8000;

    /// The executing CPU, `hw_id` being its name in hardware, asked for where the number is not known.
    pub(crate) fn of(cpu: Option<CpuId>, hw_id: impl FnOnce() -> u64) -> Self {
        match cpu {
            Some(cpu) if cpu.as_u32() < Self::UNKNOWN as u32 => Self(cpu.as_u32() as u16),
            _ => Self(digest(hw_id()) | Self::UNKNOWN),
        }
    }

    /// Whether a latch that holds `raw` is this CPU's.
    pub(super) const fn is_in(self, raw: u32) -> bool {
        Reason::from_code(raw & 3).is_some() && (raw >> 16) as u16 == self.0
    }

    /// The CPU's number, if the kernel knew it.
    pub const fn cpu(self) -> Option<CpuId> {
        if self.0 < Self::UNKNOWN {
            Some(CpuId::new(self.0 as u32))
        } else {
            None
        }
    }
}

const fn digest(hw_id: u64) -> u16 {
    (hw_id ^ hw_id >> 15 ^ hw_id >> 30 ^ hw_id >> 45) as u16 & (Owner::UNKNOWN - 1)
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Owner {
    /// The CPU's number, or `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cpu() {
            Some(cpu) => cpu.fmt(f),
            None => f.pad("?"),
        }
    }
}

/// A latch as read at one moment, while there is a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Why the machine is stopped.
    pub reason: Reason,
    /// How far that is.
    pub phase: Phase,
    /// Whether some CPU stands by for the owner's death.
    pub deputy: bool,
    /// Whether an owner has died and was replaced. Happens once.
    pub taken_over: bool,
    /// Raised by one with each change of owner.
    pub generation: u8,
    /// Who stops the others.
    pub owner: Owner,
}

impl Hold {
    pub(crate) const fn pack(self) -> u32 {
        self.reason as u32
            | (self.phase as u32) << 2
            | (self.deputy as u32) << 4
            | (self.taken_over as u32) << 5
            | (self.generation as u32) << 6
            | (self.owner.0 as u32) << 16
    }

    /// Whether a latch that holds `raw` has nobody standing by, and never had an owner replaced.
    pub(super) const fn is_deputy_wanted(raw: u32) -> bool {
        raw & (1 << 4 | 1 << 5) == 0
    }

    /// Reads a latch; `None` when it is free.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        let Some(reason) = Reason::from_code(raw & 3) else {
            return None;
        };
        Some(Self {
            reason,
            phase: match raw >> 2 & 3 {
                0 => Phase::Stopping,
                1 => Phase::Released,
                _ => Phase::Done,
            },
            deputy: raw >> 4 & 1 != 0,
            taken_over: raw >> 5 & 1 != 0,
            generation: (raw >> 6) as u8,
            owner: Owner((raw >> 16) as u16),
        })
    }
}
