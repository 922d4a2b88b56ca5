//! Standing still: this kernel as the machine that the engine of `smp-stop` runs on.
//!
//! Panic, reboot and power-off all come through [`stop`]. What the engine asks of a machine is small, and most of it is
//! the same everywhere; the rest is the architecture's, behind [`crate::arch::StopOps`] and, with more than one CPU, behind
//! `SmpStopOps`.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU8, Ordering};

use ::trace::Event;
use records::{Listed, MaybeCpu, Quoted};
use smp_stop::report::Row;
use smp_stop::{CpuId, How, Outcome, Point, Reason, Registers, Report, Stop, StopOps, Unavailable, Via, Why};

use crate::account::STOP;
use crate::arch::Arch;
use crate::cpu;
use crate::inject::{self, Effect, Place};
use crate::{clock, println, trace};

/// The engine for many CPUs, over this kernel's [`STOP`] area.
#[cfg(feature = "smp")]
pub(crate) type Engine<'a, A> = smp_stop::smp::Engine<'static, 'a, Machine<'a, A>>;
/// The engine for one CPU, over this kernel's [`STOP`] area: the same call, the same report.
#[cfg(not(feature = "smp"))]
pub(crate) type Engine<'a, A> = smp_stop::up::Engine<'static, 'a, Machine<'a, A>>;

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
    out.set_own();
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

    /// Prints what became of each CPU: a table for people, and a record each for the host.
    pub(crate) fn print_account(&self) {
        println!("{}", self.report.called(planned()));
        for row in self.report.rows().filter(Row::is_of_interest) {
            let saved = self.report.registers(row.cpu);
            let line = records::Cpu {
                n: row.cpu.as_u32(),
                state: row.state(),
                via: Quoted(&row.via.map_or("-", Via::name)),
                why: row.why().map_or("-", Why::name),
                // No code lies at address 0: registers that say so hold nothing.
                regs: u32::from(saved.is_some_and(|registers| registers.pc() != 0)),
            };
            println!("{line}");
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
        let owner = summary.hold.and_then(|hold| hold.owner.cpu());
        let line = records::Stop {
            state: self.state,
            reason: reason_name().unwrap_or("?"),
            owner: MaybeCpu(owner.map(CpuId::as_u32)),
            stopped: Listed(report.parked()),
            off: Listed(report.off()),
            silent: Listed(report.silent()),
            took_ns: summary.took_ns,
            why: self.why.as_ref().map(|why| Quoted(why)),
        };
        line.fmt(f)
    }
}

/// A planned end. The engine knows one reason for all of them, and people want to know which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Planned {
    Reboot,
    PowerOff,
    Halt,
}

/// The planned end that this kernel is on its way to.
static PLANNED: AtomicU8 = AtomicU8::new(Planned::Reboot as u8);

impl Planned {
    /// From here on a stop for [`Reason::Reboot`] is called this.
    pub(crate) fn note(self) {
        PLANNED.store(self as u8, Ordering::Relaxed);
    }
}

fn planned() -> &'static str {
    const POWER_OFF: u8 = Planned::PowerOff as u8;
    const HALT: u8 = Planned::Halt as u8;
    match PLANNED.load(Ordering::Relaxed) {
        POWER_OFF => "power-off",
        HALT => "halt",
        _ => "reboot",
    }
}

/// Why the machine is being stopped, or was, in a word; `None` if it is not.
pub(crate) fn reason_name() -> Option<&'static str> {
    let hold = Report::of(&STOP).summary().hold?;
    Some(match hold.reason {
        Reason::Reboot => planned(),
        reason => reason.name(),
    })
}

/// Stops all other CPUs, or parks the caller because somebody else is stopping them. Returns on one CPU only: on the
/// owner, with interrupts off, once every other CPU is accounted for, within a bounded time; and again, at once, should
/// the owner come a second time.
///
/// `words` say what for, where they lie in the image: a CPU that takes the stop over finds them.
///
/// Takes no lock, needs no per-CPU base, allocates nothing and prints nothing.
pub(crate) fn stop<A: Arch>(
    reason: Reason,
    words: Option<&'static str>,
    interrupted: Option<FillRegisters<'_>>,
) -> Stopped {
    let machine = Machine::<A>::new(interrupted);
    if !inject::at(Place::Stop, 0).goes() {
        return Stopped::claimed();
    }
    let engine = Engine::new(&STOP, &machine);
    let stop = match words {
        Some(words) => engine.stop_saying(reason, words),
        None => engine.stop(reason),
    };
    Stopped::from(&stop)
}

/// Keeps what the executing CPU stops for in the report, as far as there is room: for the CPU that has to speak in its stead.
pub(crate) fn keep<A: Arch>(message: &dyn fmt::Display) {
    Engine::new(&STOP, &Machine::<A>::new(None)).set_message(message);
}
