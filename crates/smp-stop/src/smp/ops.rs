//! What the engine asks of an architecture that has more than one CPU.

use cpumask::CpuId;

use super::Targets;
use crate::ops::StopOps;
use crate::report::RungKind;

/// What a build with more than one CPU asks beyond [`StopOps`].
pub trait SmpStopOps: StopOps {
    /// The ways to make another CPU stop, in rising order of force. Empty while there is none (no interrupt controller
    /// yet).
    fn rungs(&self) -> &[Rung];

    /// Sends the signal of `rung` (an index into [`Self::rungs`]) to all of `targets`, in one go where the hardware has a
    /// broadcast. May wait for the hardware to take it, bounded. The targets' handler calls
    /// [`Engine::signalled`](crate::smp::Engine::signalled).
    ///
    /// # Errors
    /// [`SignalError`] if nothing was sent, which is not waited for then.
    fn signal(&self, rung: usize, targets: &Targets<'_>) -> Result<(), SignalError>;

    /// The hardware's own view of a CPU: whether it is powered off or otherwise back where only a start reaches it; `None`
    /// where the hardware has no view. Polled by the owner, which does not take it at its word about a CPU that was released
    /// and never seen.
    fn hw_off(&self, _cpu: CpuId) -> Option<bool> {
        None
    }

    /// Whether [`Self::hw_off`] ever says that a CPU is off. False spares the owner the wait for that.
    fn sees_power(&self) -> bool {
        true
    }

    /// How long to wait for what no rung speeds up.
    fn limits(&self) -> Limits {
        Limits::DEFAULT
    }
}

/// The signal could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalError;

/// One way to make another CPU stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// What it takes to get through.
    pub kind: RungKind,
    /// How long to wait for answers before the next rung.
    pub bound: Bound,
}

/// A length of time that grows with the number of CPUs waited for, because an emulator's CPUs take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Nanoseconds in any case.
    pub base_ns: u64,
    /// Nanoseconds for each CPU waited for.
    pub per_cpu_ns: u64,
}

impl Bound {
    /// `base` milliseconds and `per_cpu` microseconds for each CPU.
    pub const fn ms_us(base: u64, per_cpu: u64) -> Self {
        Self {
            base_ns: base * 1_000_000,
            per_cpu_ns: per_cpu * 1_000,
        }
    }

    /// One after the other.
    pub(super) const fn and(self, next: Self) -> Self {
        Self {
            base_ns: self.base_ns.saturating_add(next.base_ns),
            per_cpu_ns: self.per_cpu_ns.saturating_add(next.per_cpu_ns),
        }
    }

    /// Nanoseconds for `cpus` CPUs.
    pub const fn total(self, cpus: u32) -> u64 {
        self.base_ns
            .saturating_add(self.per_cpu_ns.saturating_mul(cpus as u64))
    }
}

/// Bounds of the waits that are not a rung's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For CPUs on their way up, or on their way off: from the beginning of the stop until they are at the gate, or gone.
    pub arrival: Bound,
    /// For CPUs that have acknowledged until the hardware, too, says that they are off; where it has a view.
    pub power_off: Bound,
    /// For the CPU that stood by to park after it was told that it may; for its power-off, `power_off` on top.
    pub release: Bound,
    /// Nanoseconds that a CPU is given at the least before it counts as silent: the last rung and the waits above are as
    /// long in any case. Those before the last stay as they are, for with a stronger signal nothing is lost.
    pub grace_ns: u64,
    /// Polls after which a wait is over when the clock did not move in any of them.
    pub stalled_polls: u32,
    /// Polls after which a wait is over whatever the clock does.
    pub total_polls: u32,
}

impl Limits {
    /// 100 ms and 1 ms per CPU for arrivals, 20 ms and 1 ms for power-off, 10 ms for release, and no grace; two million polls of a clock
    /// that stands still, a thousand million of one that creeps.
    pub const DEFAULT: Self = Self {
        arrival: Bound::ms_us(100, 1_000),
        power_off: Bound::ms_us(20, 1_000),
        release: Bound::ms_us(10, 100),
        grace_ns: 0,
        stalled_polls: 2_000_000,
        total_polls: 1_000_000_000,
    };
}
