//! What a stop returns to its owner. Nobody else returns.

#[cfg(feature = "display")]
use core::fmt;

use crate::area::Area;
use crate::report::{Cpus, Report, Unavailable, Verdict};

/// The machine is in this CPU's hands.
#[derive(Clone, Copy, Debug)]
#[must_use = "some CPUs may still run"]
pub struct Stop<'a> {
    /// What became of the others.
    pub outcome: Outcome<'a>,
    /// How the caller came to own the stop.
    pub how: How,
    /// CPU by CPU, as things are at each look: a CPU that is silent now may park later.
    pub report: Report<'a>,
    /// Which claim this is, as in [`Hold::generation`](crate::Hold::generation). A CPU that was silent may still take the
    /// stop away, with a higher reason.
    pub generation: u8,
}

/// What became of the other CPUs.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// Every CPU ever released is the owner, parked, or off.
    Stopped,
    /// Some are not.
    Partial {
        /// Those; the report says why.
        silent: Cpus<'a>,
    },
    /// Nothing could be done about them.
    Unavailable {
        /// Why not.
        why: Unavailable,
    },
}

/// How a CPU came to own a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nobody had stopped anything before.
    First,
    /// It had a higher reason than the owner before.
    Raised,
    /// The owner before died, and it stood by.
    TookOver,
    /// It came again: it failed inside the stop and what was left has been done.
    Reentered,
    /// It came again after the stop was over; nothing was done.
    AlreadyDone,
}

impl<'a> Stop<'a> {
    pub(crate) fn new(area: Area<'a>, generation: u8, verdict: Verdict, how: How) -> Self {
        let report = Report::of(area);
        Self {
            outcome: match verdict {
                Verdict::Stopped => Outcome::Stopped,
                Verdict::Partial => Outcome::Partial {
                    silent: report.silent(),
                },
                Verdict::Unavailable(why) => Outcome::Unavailable { why },
            },
            how,
            report,
            generation,
        }
    }
}

impl Outcome<'_> {
    /// Whether every CPU is accounted for as standing still.
    pub const fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}

#[cfg(feature = "display")]
impl fmt::Display for Outcome<'_> {
    /// `stopped`, `partial: CPUs 1,3 silent`, `unavailable: why`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::Partial { silent } => write!(f, "partial: CPUs {silent} silent"),
            Self::Unavailable { why } => write!(f, "unavailable: {why}"),
        }
    }
}
