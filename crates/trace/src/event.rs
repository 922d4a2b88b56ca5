//! What can happen.

use core::fmt;

/// A set of groups of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups(u32);

impl Groups {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Boot phases, CPUs that come and go, stop signals: what is recorded unless somebody says otherwise.
    pub const LIFE: Self = Self(1);
    /// Signals from CPU to CPU, sent and received.
    pub const IPI: Self = Self(2);
    /// Thread switches.
    pub const SWITCH: Self = Self(4);
    /// Times with interrupts off that are longer than a limit.
    pub const IRQ_OFF: Self = Self(8);
    /// Everything.
    pub const ALL: Self = Self(15);

    /// As stored.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// From what is stored; bits that mean nothing are dropped.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Both.
    #[must_use]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Whether `group` is in it.
    pub const fn has(self, group: Self) -> bool {
        self.0 & group.0 != 0
    }
}

macro_rules! phases {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        /// A step of the boot, recorded where it begins.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Phase {
            $($(#[$doc])* $name = $number,)*
        }

        impl Phase {
            /// All, in the order of a boot.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The phase of this number; `None` if there is none.
            pub const fn from_code(code: u16) -> Option<Self> {
                match code {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// In two or three words.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

phases! {
    /// The first Rust code, and the banner.
    Start = 0 "first code";
    /// What the loader said, and RAM.
    Machine = 1 "machine";
    /// The final page tables.
    PageTables = 2 "page tables";
    /// CPUs and devices from firmware tables.
    Firmware = 3 "firmware tables";
    /// The rest of the command line, logical CPU numbers.
    CpuNumbers = 4 "CPU numbers";
    /// Per-CPU areas.
    PerCpu = 5 "per-CPU areas";
    /// Page allocator and heap.
    Memory = 6 "memory";
    /// Threads.
    Scheduler = 7 "scheduler";
    /// The interrupt controller.
    Interrupts = 8 "interrupts";
    /// Clock and timer.
    Time = 9 "time";
    /// All other CPUs are started.
    OtherCpus = 10 "other CPUs";
    /// The first thread.
    FirstThread = 11 "first thread";
    /// The kernel is ready.
    Ready = 12 "ready";
}

/// Something that happened, on the CPU whose ring it is in unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step of the boot begins.
    Phase(Phase),
    /// CPU `by` releases this CPU; again, if `attempt` is not 0.
    Start {
        /// Who does.
        by: u16,
        /// How often it was tried before.
        attempt: u32,
    },
    /// This CPU's first Rust code.
    Alive,
    /// It is through the online gate.
    Online,
    /// CPU `by` gave it up: it did not come in time.
    GivenUp {
        /// Who did.
        by: u16,
    },
    /// It is on its way off.
    Dying,
    /// It goes off.
    Off,
    /// As the owner of a stop it sends the signal of this rung.
    StopSignal {
        /// An index into the architecture's rungs: 0 the polite one.
        rung: u16,
    },
    /// It interrupts CPU `to`.
    IpiSent {
        /// Whom.
        to: u16,
    },
    /// Another CPU's interrupt arrived.
    IpiTaken,
    /// It switches to this thread.
    Switch {
        /// The thread's number.
        thread: u32,
    },
    /// Interrupts were off for longer than the limit, up to now.
    IrqOff {
        /// How long, in nanoseconds; the largest number stands for more.
        ns: u32,
    },
}

/// An event as stored, without its time: its kind, a small number and a large one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Not 0.
    pub kind: u8,
    /// What it means depends on the kind.
    pub small: u16,
    /// Likewise.
    pub large: u32,
}

impl Event {
    /// As stored.
    #[inline(always)]
    pub const fn pack(self) -> Raw {
        let (kind, small, large) = match self {
            Self::Phase(phase) => (1, phase as u16, 0),
            Self::Start { by, attempt } => (2, by, attempt),
            Self::Alive => (3, 0, 0),
            Self::Online => (4, 0, 0),
            Self::GivenUp { by } => (5, by, 0),
            Self::Dying => (6, 0, 0),
            Self::Off => (7, 0, 0),
            Self::StopSignal { rung } => (8, rung, 0),
            Self::IpiSent { to } => (9, to, 0),
            Self::IpiTaken => (10, 0, 0),
            Self::Switch { thread } => (11, 0, thread),
            Self::IrqOff { ns } => (12, 0, ns),
        };
        Raw { kind, small, large }
    }

    /// From what is stored; `None` if it means nothing.
    pub const fn unpack(raw: Raw) -> Option<Self> {
        let Raw { kind, small, large } = raw;
        Some(match kind {
            1 => match Phase::from_code(small) {
                Some(phase) => Self::Phase(phase),
                None => return None,
            },
            2 => Self::Start {
                by: small,
                attempt: large,
            },
            3 => Self::Alive,
            4 => Self::Online,
            5 => Self::GivenUp { by: small },
            6 => Self::Dying,
            7 => Self::Off,
            8 => Self::StopSignal { rung: small },
            9 => Self::IpiSent { to: small },
            10 => Self::IpiTaken,
            11 => Self::Switch { thread: large },
            12 => Self::IrqOff { ns: large },
            _ => return None,
        })
    }

    /// The group it belongs to.
    #[inline(always)]
    pub const fn group(self) -> Groups {
        match self {
            Self::IpiSent { .. } | Self::IpiTaken => Groups::IPI,
            Self::Switch { .. } => Groups::SWITCH,
            Self::IrqOff { .. } => Groups::IRQ_OFF,
            _ => Groups::LIFE,
        }
    }
}

impl fmt::Display for Event {
    /// A few words, to follow "CPU n:".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase) => write!(f, "boot: {}", phase.name()),
            Self::Start { by, attempt: 0 } => write!(f, "started by CPU {by}"),
            Self::Start { by, attempt } => write!(f, "started by CPU {by} again, attempt {}", attempt + 1),
            Self::Alive => f.write_str("first code"),
            Self::Online => f.write_str("online"),
            Self::GivenUp { by } => write!(f, "given up by CPU {by}"),
            Self::Dying => f.write_str("on its way off"),
            Self::Off => f.write_str("off"),
            Self::StopSignal { rung } => write!(f, "stop signal {rung} to all that have not answered"),
            Self::IpiSent { to } => write!(f, "interrupts CPU {to}"),
            Self::IpiTaken => f.write_str("interrupted by another CPU"),
            Self::Switch { thread } => write!(f, "switches to thread {thread}"),
            Self::IrqOff { ns } => write!(f, "interrupts were off for {}.{:03} us", ns / 1000, ns % 1000),
        }
    }
}
