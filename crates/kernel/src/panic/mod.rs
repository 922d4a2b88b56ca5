//! The end of a kernel: one CPU speaks, the others stand still, nothing is lost, and the machine does what `panic=` says.
//!
//! The stop comes **before** the first printed byte, so that what is printed is about a machine that stands still; the
//! engine elects who speaks, and parks everybody else who comes here. Then the console is seized, and out come the
//! message, the owner's backtrace, a line for each CPU, a backtrace of each from the registers it saved, and `@end`. The
//! owner itself, should it fail again on the way, says so in a line and goes on with what is left to tell; failing once more
//! it says how the stop ended, and halts. `docs/stop.md` tells the story.

mod backtrace;
mod exception;
mod nesting;
mod overflow;

use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use records::{Hex, MaybeCpu, Quoted};
use smp_stop::{How, Reason, Report};

pub use backtrace::{Frames, frames};
pub use exception::{Exception, fatal};
use nesting::Failure;

use crate::arch::Arch;
use crate::cpu::{self, CpuId};
use crate::inject::{self, Place};
use crate::power::{self, End};
use crate::stop::{self, Stopped};
use crate::{clock, console, hooks, image, phase, println, sched};

/// What to do after a panic, in seconds, as Linux's `panic=`: above 0 reboot after so many, 0 stay, below 0 reboot at
/// once. Until the command line has been read: at once.
static AFTER: AtomicI32 = AtomicI32::new(-1);

/// Sets what happens after a panic; see `panic=`.
pub(crate) fn set_after(seconds: i32) {
    AFTER.store(seconds, Ordering::Relaxed);
}

/// The panic handler; arch crates call it from theirs.
pub fn panic<A: Arch>(info: &PanicInfo<'_>) -> ! {
    let failure = nesting::enter::<A>();
    let cause = Cause {
        reason: Reason::Panic,
        what: &info.message(),
        words: info.message().as_str(),
        at: info.location(),
        exception: None,
    };
    die::<A>(failure, &cause, A::frame_pointer())
}

/// As a panic, but with the highest reason: a planned end or a panic that is under way becomes this CPU's crash.
pub(crate) fn crash<A: Arch>(why: &str) -> ! {
    let failure = nesting::enter::<A>();
    let cause = Cause {
        reason: Reason::Crash,
        what: &why,
        words: None,
        at: None,
        exception: None,
    };
    die::<A>(failure, &cause, A::frame_pointer())
}

/// Why.
pub(crate) struct Cause<'a> {
    pub(crate) reason: Reason,
    pub(crate) what: &'a dyn fmt::Display,
    /// The same, where it is text of the image.
    pub(crate) words: Option<&'static str>,
    pub(crate) at: Option<&'a core::panic::Location<'a>>,
    pub(crate) exception: Option<&'a Exception<'a>>,
}

/// How far the owner has got with telling what happened: nothing, the cause, the table of CPUs, all of it.
static TOLD: AtomicU8 = AtomicU8::new(NOTHING);
const NOTHING: u8 = 0;
const CAUSE: u8 = 1;
const CPUS: u8 = 2;
const ALL: u8 = 3;

/// How often the owner of the stop has come to tell it.
static TELLING: AtomicU8 = AtomicU8::new(0);

/// The whole story, from any state of the machine. The failure has been counted, because each step may be what fails.
fn die<A: Arch>(_counted: Failure, cause: &Cause<'_>, frame: usize) -> ! {
    hooks::install::<A>();
    if let Some(end) = power::is_over() {
        over::<A>(end);
    }
    // The others run on until they are asked, so that only what has to be written is written first: should this CPU die of
    // the stop, or come second, its words are not lost.
    if cause.words.is_none() {
        stop::keep::<A>(cause.what);
    }
    let stop = stop::stop::<A>(cause.reason, cause.words, cause.exception.map(|e| e.fill));
    speak::<A>(cause, frame, &stop)
}

/// A failure after the last word: nothing follows on that, and `panic=` holds.
fn over<A: Arch>(end: End) -> ! {
    if end == End::Panic && AFTER.load(Ordering::Relaxed) != 0 {
        power::reset::<A>();
    }
    A::halt()
}

/// All stand still, as far as they can: the owner tells the story. A function of its own so that a count of instructions
/// finds where the stop ends.
#[inline(never)]
fn speak<A: Arch>(cause: &Cause<'_>, frame: usize, stop: &Stopped) -> ! {
    let nth = telling(stop.how);
    phase::enter::<A>(&"panicking");
    inject::at(Place::Stopped, 0);
    console::seize(cpu::by_hardware::<A>());
    match (nth, TOLD.load(Ordering::Relaxed)) {
        // One that failed inside the stop has said nothing yet; nor has one that had planned the end.
        (0, _) | (1, NOTHING) => report::<A>(cause, frame),
        (1, _) => again::<A>(cause),
        (2, _) => last_words::<A>(stop),
        _ => without_a_word::<A>(),
    }
    if TOLD.load(Ordering::Relaxed) < CPUS {
        others::<A>(stop);
    }
    end::<A>(stop)
}

/// How often the owner has been here before. One that takes a stop over from another begins anew.
fn telling(how: How) -> u8 {
    let before = match how {
        How::Reentered | How::AlreadyDone => TELLING.load(Ordering::Relaxed),
        _ => 0,
    };
    if before == 0 {
        TOLD.store(NOTHING, Ordering::Relaxed);
    }
    TELLING.store(before.saturating_add(1), Ordering::Relaxed);
    before
}

/// The owner of a stop died of it, and this CPU, which stood by, has finished it: it says what it knows and ends the machine.
#[cfg_attr(
    not(feature = "smp"),
    expect(dead_code, reason = "nobody stands by in a UP build")
)]
pub(crate) fn took_over<A: Arch>(stop: &Stopped) -> ! {
    telling(stop.how);
    console::seize(cpu::by_hardware::<A>());
    // Also for a reader of the memory, who may not have the image.
    stop::keep::<A>(&DiedOfIt(&stop.report));
    headline::<A>(&DiedOfIt(&stop.report));
    others::<A>(stop);
    end::<A>(stop)
}

/// What an owner that was replaced stopped the machine for, as far as it left word.
struct DiedOfIt<'a>(&'a Report<'static>);

impl fmt::Display for DiedOfIt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the CPU that was stopping the others died of it")?;
        let former = self.0.summary().former_owner.and_then(|owner| owner.cpu());
        match former.and_then(|cpu| self.0.message(cpu)) {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// The machine-readable line: which CPU speaks, for what reason all stand still, whose addresses follow, and what happened.
fn headline<A: Arch>(what: &dyn fmt::Display) {
    let line = records::Panic {
        cpu: MaybeCpu(cpu::by_hardware::<A>().map(CpuId::as_u32)),
        reason: stop::reason_name().unwrap_or("panic"),
        build_id: Hex(image::build_id()),
        why: Quoted(what),
    };
    println!("{line}");
}

/// A panic inside the panic: one line, beside the machine's.
fn again<A: Arch>(cause: &Cause<'_>) {
    headline::<A>(cause.what);
    match cause.at {
        Some(at) => println!("panic while panicking: {}, at {at}", cause.what),
        None => println!("panic while panicking: {}", cause.what),
    }
}

/// The third: how the stop ended, unless it has been said. What the failures may have in common is left alone.
fn last_words<A: Arch>(stop: &Stopped) -> ! {
    println!("panic while panicking for the third time: no more is told");
    if TOLD.swap(ALL, Ordering::Relaxed) < ALL {
        println!("{stop}");
        power::announce(End::Panic);
    }
    if AFTER.load(Ordering::Relaxed) != 0 {
        power::announce_way(A::DEATH);
    }
    without_a_word::<A>()
}

/// What `panic=` says, by nothing that could fail.
fn without_a_word<A: Arch>() -> ! {
    match AFTER.load(Ordering::Relaxed) {
        0 => A::halt(),
        _ => A::die(),
    }
}

fn report<A: Arch>(cause: &Cause<'_>, frame: usize) {
    TOLD.store(CAUSE, Ordering::Relaxed);
    // Also for a reader of the memory, who may not have the image.
    stop::keep::<A>(cause.what);
    inject::at(Place::Report, 0);
    headline::<A>(cause.what);
    println!(
        "kernel {} at {:.6} s: {}",
        cause.reason,
        Seconds(clock::ns_at(clock::cycles())),
        cause.what
    );
    if let Some(at) = cause.at {
        println!("  at {}:{}:{}", at.file(), at.line(), at.column());
    }
    if let Some(thread) = sched::current::<A>() {
        let whole = if thread.stack_intact() {
            ""
        } else {
            ", STACK OVERFLOWED: the magic at its end is gone"
        };
        println!("  in {thread:?}{whole}");
    }
    if let Some(exception) = cause.exception {
        println!("{}", exception.registers);
    }
    inject::at(Place::Backtrace, 0);
    print_frames::<A>(cause, frame);
}

fn print_frames<A: Arch>(cause: &Cause<'_>, frame: usize) {
    println!("backtrace:");
    let first = cause.exception.map(|e| e.pc);
    let start = cause.exception.map_or(frame, |e| e.frame);
    print_trace(first.into_iter().chain(frames::<A>(start)));
}

/// `0x` and all digits of an address.
const ADDRESS_WIDTH: usize = 2 + 2 * size_of::<usize>();

fn print_trace(addresses: impl Iterator<Item = usize>) {
    for (n, pc) in addresses.enumerate() {
        println!("  #{n} {pc:#0ADDRESS_WIDTH$x}");
    }
}

/// The table of all CPUs, and a backtrace of each of the others from the registers it saved before it parked.
fn others<A: Arch>(stop: &Stopped) {
    inject::at(Place::Table, 0);
    stop.print_account();
    TOLD.store(CPUS, Ordering::Relaxed);
    for row in stop.report.rows().filter(|row| !row.owner) {
        if let Some(registers) = stop.report.registers(row.cpu) {
            println!("backtrace of CPU {}:", row.cpu);
            print_trace(
                [registers.pc() as usize]
                    .into_iter()
                    .chain(frames::<A>(registers.fp() as usize)),
            );
        }
    }
}

/// What `panic=` says; the last lines first, unless they have been said and it failed afterwards.
fn end<A: Arch>(stop: &Stopped) -> ! {
    inject::at(Place::End, 0);
    let seconds = AFTER.load(Ordering::Relaxed);
    if TOLD.load(Ordering::Relaxed) < ALL {
        println!("{stop}");
        if seconds == 0 {
            power::quiesce::<A>();
        } else {
            println!("{}", Rebooting(seconds));
            wait_seconds(seconds.max(0) as u64);
        }
        power::announce(End::Panic);
        TOLD.store(ALL, Ordering::Relaxed);
    }
    if seconds != 0 {
        power::reset::<A>();
    }
    A::halt()
}

struct Rebooting(i32);

impl fmt::Display for Rebooting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s if s < 0 => f.write_str("rebooting"),
            s => write!(f, "rebooting in {s} s"),
        }
    }
}

/// Waits by the counter, with a bound on polls in case it stands still.
fn wait_seconds(seconds: u64) {
    let (start, hz) = (clock::cycles(), clock::hz());
    let bound = seconds.saturating_mul(clock::POLLS_PER_SECOND);
    let done = |_: &u64| clock::cycles().wrapping_sub(start) >= hz.saturating_mul(seconds);
    (0..bound).inspect(|_| core::hint::spin_loop()).find(done);
}

/// Nanoseconds, shown as seconds.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000_000, self.0 / 1000 % 1_000_000)
    }
}
