//! Standing still: this kernel as the machine that the engine of `smp-stop` runs on.
//!
//! Panic, reboot and power-off all come through [`stop`]. What the engine asks of a machine is small, and most of it is
//! the same everywhere; the rest is the architecture's, behind [`crate::arch::StopOps`] and, with more than one CPU, behind
//! `SmpStopOps`.

use core::fmt;
use core::marker::PhantomData;

use ::trace::Event;
use smp_stop::{CpuId, How, Outcome, Point, Reason, Registers, Report, Stop, StopOps, Unavailable};

use crate::arch::Arch;
use crate::cpu::{self, NR_CPUS};
use crate::inject::{self, Effect, Place};
use crate::{clock, smp, trace};

smp_stop::stop_area! {
    /// Every CPU's state word, and what came of a stop. Has a section of its own, so that a debugger, the host and a next
    /// kernel find it when the console is dead.
    pub static STOP: NR_CPUS;
}

/// Who fills in a CPU's registers: a handler for those of the code it interrupted.
pub type FillRegisters<'a> = &'a dyn Fn(&mut Registers);

/// This machine, as seen from the executing CPU.
pub(crate) struct Machine<'a, A> {
    interrupted: Option<FillRegisters<'a>>,
    arch: PhantomData<A>,
}

impl<'a, A: Arch> Machine<'a, A> {
    /// From a handler that knows the registers of the code it interrupted, or from code that speaks for itself.
    pub(crate) const fn new(interrupted: Option<FillRegisters<'a>>) -> Self {
        Self {
            interrupted,
            arch: PhantomData,
        }
    }
}

impl<A: Arch> StopOps for Machine<'_, A> {
    fn mask_interrupts(&self) {
        A::irq_save();
    }

    fn this_cpu(&self) -> Option<CpuId> {
        cpu::by_hardware::<A>()
    }

    fn hw_id(&self) -> u64 {
        A::hw_id().0
    }

    fn now(&self) -> u64 {
        /// What a clock may be wrong by once somebody sets it: an hour.
        const SET_NS: u64 = 3_600_000_000_000;
        let now = clock::ns_at(A::cycles());
        match inject::at(Place::Clock, 0) {
            Effect::Skip => 0,
            Effect::Refuse => now.saturating_add(SET_NS),
            _ => now,
        }
    }

    fn relax(&self) {
        A::relax();
    }

    fn save_regs(&self, out: &mut Registers) {
        match self.interrupted {
            _ if !inject::at(Place::SaveRegs, 0).goes() => {}
            Some(fill) => fill(out),
            None => save_own::<A>(out),
        }
    }

    fn quiesce(&self) {
        if inject::at(Place::Quiesce, 0).goes() {
            A::quiesce();
        }
    }

    fn park(&self) -> ! {
        inject::at(Place::Park, 0);
        A::park()
    }

    #[inline(always)]
    fn point(&self, at: Point) {
        if let Point::Signalling(rung) = at {
            trace::by_hardware::<A>(Event::StopSignal { rung: rung as u16 });
        }
        let (place, detail) = place_of(at);
        inject::at(place, detail);
    }
}

/// The registers of code that speaks for itself. A call of its own: where a handler knows those of the code it interrupted,
/// which is nearly everywhere, nobody need make room for this one's copy.
#[inline(never)]
fn save_own<A: Arch>(out: &mut Registers) {
    A::save_regs(out);
}

/// The engine's places as this kernel knows them.
#[inline(always)]
const fn place_of(at: Point) -> (Place, u32) {
    match at {
        Point::Elected => (Place::Elected, 0),
        Point::Asked(cpu) => (Place::Asked, cpu.as_u32()),
        Point::Signalling(rung) => (Place::Signalling, rung as u32),
        Point::Signalled(rung) => (Place::Signalled, rung as u32),
        Point::Released => (Place::Released, 0),
        Point::Finishing => (Place::Finishing, 0),
        Point::Answering => (Place::Answering, 0),
        Point::RegistersSaved => (Place::Saved, 0),
        Point::StandingBy => (Place::StandingBy, 0),
        Point::Acknowledging => (Place::Acknowledging, 0),
    }
}

/// A stop, as its owner sees it. What became of each CPU is in the report, which is read from [`STOP`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped {
    /// How the caller came to own it.
    pub(crate) how: How,
    /// `stopped`, `partial` or `unavailable`.
    pub(crate) state: &'static str,
    /// Why nothing could be done, if that is so.
    pub(crate) why: Option<Unavailable>,
    /// CPU by CPU.
    pub(crate) report: Report<'static>,
}

impl Stopped {
    /// What a kernel says that did not look: the control of the tests.
    fn claimed() -> Self {
        Self {
            how: How::First,
            state: "stopped",
            why: None,
            report: Report::of(&STOP),
        }
    }

    /// Whether every CPU is accounted for as standing still.
    pub(crate) fn is_complete(&self) -> bool {
        self.state == "stopped"
    }
}

impl From<&Stop<'_>> for Stopped {
    fn from(stop: &Stop<'_>) -> Self {
        let (state, why) = match stop.outcome {
            Outcome::Stopped => ("stopped", None),
            Outcome::Partial { .. } => ("partial", None),
            Outcome::Unavailable { why } => ("unavailable", Some(why)),
        };
        Self {
            how: stop.how,
            state,
            why,
            report: Report::of(&STOP),
        }
    }
}

impl fmt::Display for Stopped {
    /// The machine-readable `@stop` line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (report, summary) = (self.report, self.report.summary());
        write!(f, "@stop state={} owner=", self.state)?;
        match summary.hold.and_then(|hold| hold.owner.cpu()) {
            Some(cpu) => write!(f, "{cpu}")?,
            None => f.write_str("?")?,
        }
        write!(
            f,
            " stopped={} off={} silent={} took_ns={}",
            report.parked(),
            report.off(),
            report.silent(),
            summary.took_ns
        )?;
        self.why
            .map_or(Ok(()), |why| write!(f, " why=\"{}\"", why.reason()))
    }
}

/// Why the machine is being stopped, or was; `None` if it is not.
pub(crate) fn reason() -> Option<Reason> {
    Report::of(&STOP).summary().hold.map(|hold| hold.reason)
}

/// Stops all other CPUs, or parks the caller because somebody else is stopping them. Returns on one CPU only: on the
/// owner, with interrupts off, once every other CPU is accounted for, within a bounded time; and again, at once, should
/// the owner come a second time.
///
/// Takes no lock, needs no per-CPU base, allocates nothing and prints nothing.
pub(crate) fn stop<A: Arch>(reason: Reason, interrupted: Option<FillRegisters<'_>>) -> Stopped {
    let machine = Machine::<A>::new(interrupted);
    if !inject::at(Place::Stop, 0).goes() {
        return Stopped::claimed();
    }
    Stopped::from(&smp::Engine::new(&STOP, &machine).stop(reason))
}
