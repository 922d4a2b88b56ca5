//! The console and the log: whole lines, a ring that outlives them, and a dying kernel that is always heard.
//!
//! Text goes to the ring and to the serial port. Until the port is known, and for whoever finds it locked for too long,
//! the ring alone keeps it. When a CPU panics it *seizes* the console: from then on it writes without a lock and everybody
//! else's output is dropped, so no stopped CPU can hold the console and none can talk into a report.

mod line;
mod ring;

use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};

pub use line::LineBuffer;
pub use ring::{LINE_BYTES, Record};

use crate::cpu::CpuId;
use crate::inject::Place;
use crate::irq::{IrqOff, Lock};
use crate::{clock, hooks, inject};

/// How much a message matters, as in Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The system is unusable.
    Emerg = 0,
    /// Something failed.
    Err = 3,
    /// Something is not as it should be.
    Warning = 4,
    /// What a user wants to know.
    Info = 6,
    /// What a developer wants to know.
    Debug = 7,
}

/// Messages below this number reach the console; all reach the ring. `loglevel=`.
static CONSOLE_LOGLEVEL: AtomicU8 = AtomicU8::new(7);
static RING: Lock<ring::Ring> = Lock::new(ring::Ring::new());
static PORT: Lock<()> = Lock::new(());
/// Ring records that the port has not seen, because it was not known yet.
static REPLAYED: AtomicBool = AtomicBool::new(false);
/// The CPU that seized the console: its number plus one, or all ones for a CPU without a number.
static SEIZED: AtomicU32 = AtomicU32::new(0);
/// What went to the port last ended no line, or is still on its way there.
static MID_LINE: AtomicBool = AtomicBool::new(false);
/// Lines that reached neither port nor ring in time.
static LOST_LINES: AtomicUsize = AtomicUsize::new(0);

/// Polls before a writer leaves a locked console to its holder.
const LOCK_POLLS: u32 = 1 << 22;

/// Sets which messages reach the console: those with a level below `level` (0 to 15).
pub fn set_loglevel(level: u8) {
    CONSOLE_LOGLEVEL.store(level.min(15), Ordering::Relaxed);
}

/// Takes the console for the CPU that is about to report the machine's end, `None` if its number is not known. Everybody
/// else is silent from here on. A line somebody was in the middle of, or the prompt, is ended: what the seizer prints
/// begins a line of its own.
pub(crate) fn seize(cpu: Option<CpuId>) {
    SEIZED.store(seizer(cpu), Ordering::Release);
    if MID_LINE.load(Ordering::Acquire) {
        port_write(b"\r\n");
    }
}

fn seizer(cpu: Option<CpuId>) -> u32 {
    cpu.map_or(u32::MAX, |cpu| cpu.as_u32() + 1)
}

fn silenced() -> bool {
    match SEIZED.load(Ordering::Acquire) {
        0 => false,
        owner => owner != seizer(hooks::get().and_then(|h| (h.this_cpu)())),
    }
}

fn is_seized() -> bool {
    SEIZED.load(Ordering::Acquire) != 0
}

/// Takes `lock` for a short time, or gives up after a bounded number of polls: a holder may be stopped or dead.
fn lock_bounded<T>(lock: &Lock<T>) -> Option<lock_api::MutexGuard<'_, crate::irq::RawIrqLock, T>> {
    (0..LOCK_POLLS).find_map(|_| {
        let guard = lock.try_lock();
        if guard.is_none() {
            core::hint::spin_loop();
        }
        guard
    })
}

/// Writes raw bytes to the port, one caller at a time. Not logged: for the monitor and its echo.
pub fn write_bytes(bytes: &[u8]) {
    if silenced() {
        return;
    }
    if is_seized() {
        port_write(bytes);
    } else if let Some(_guard) = lock_bounded(&PORT) {
        inject::at(Place::Console, 0);
        port_write(bytes);
    } else {
        LOST_LINES.fetch_add(1, Ordering::Relaxed);
    }
}

fn port_write(bytes: &[u8]) -> bool {
    let Some(hooks) = hooks::get() else { return false };
    let Some(last) = bytes.last() else {
        return (hooks.console_write)(bytes);
    };
    // Set first: the writer may be stopped half-way.
    MID_LINE.store(true, Ordering::Release);
    let written = (hooks.console_write)(bytes);
    MID_LINE.store(written && *last != b'\n', Ordering::Release);
    written
}

/// Logs one message; use the macros [`crate::info!`] and its kin. Each line of the message is a record of its own.
pub fn log(level: Level, args: fmt::Arguments<'_>) {
    if silenced() {
        return;
    }
    let _off = IrqOff::new();
    let cycles = clock::cycles();
    let mut buffer = LineBuffer::<LINE_BYTES, _>::new(|text: &[u8]| emit(level, cycles, text));
    // Writing to a line buffer cannot fail.
    let _ = buffer.write_fmt(args);
    buffer.finish();
}

/// One line: into the ring, and to the port if its level asks for it.
fn emit(level: Level, cycles: u64, text: &[u8]) {
    let record = Record::new(level, cycles, text);
    let port_known = replay();
    match lock_bounded(&RING) {
        Some(mut ring) => ring.push(record),
        None => drop(LOST_LINES.fetch_add(1, Ordering::Relaxed)),
    }
    if port_known && (level as u8) < CONSOLE_LOGLEVEL.load(Ordering::Relaxed) {
        write_record(&record);
    }
}

fn write_record(record: &Record) {
    let mut wire = arrayvec::ArrayVec::<u8, { LINE_BYTES + 32 }>::new();
    // The array is sized for the longest record.
    let _ = write!(WireFormat(&mut wire), "{record}\r\n");
    write_bytes(&wire);
}

struct WireFormat<'a, const N: usize>(&'a mut arrayvec::ArrayVec<u8, N>);

impl<const N: usize> fmt::Write for WireFormat<'_, N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.try_extend_from_slice(s.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Sends what was logged before the port was known, once it is. Whether the port is known.
fn replay() -> bool {
    if REPLAYED.load(Ordering::Acquire) {
        return true;
    }
    if !port_write(b"") {
        return false;
    }
    if !REPLAYED.swap(true, Ordering::AcqRel) {
        for_each_record(write_record);
    }
    true
}

/// Calls `f` with each record in the ring, oldest first. Records that others push meanwhile may be missed.
pub fn for_each_record(mut f: impl FnMut(&Record)) {
    let end = lock_bounded(&RING).map_or(0, |ring| ring.next());
    for number in end.saturating_sub(ring::SLOTS)..end {
        let record = lock_bounded(&RING).and_then(|ring| ring.get(number));
        if let Some(record) = record {
            f(&record);
        }
    }
}

/// Bytes in a line that goes to the console only: a machine-readable record must not be cut.
const WIRE_BYTES: usize = 510;

/// Writes text to the console only, line by line; for the monitor and the machine-readable records.
pub fn print(args: fmt::Arguments<'_>) {
    let mut buffer = LineBuffer::<WIRE_BYTES, _>::new(|text: &[u8]| {
        let mut wire = arrayvec::ArrayVec::<u8, { WIRE_BYTES + 2 }>::new();
        // A line buffer's lines are at most WIRE_BYTES long.
        let _ = wire.try_extend_from_slice(text);
        let _ = wire.try_extend_from_slice(b"\r\n");
        write_bytes(&wire);
    });
    // Writing to a line buffer cannot fail.
    let _ = buffer.write_fmt(args);
    buffer.finish();
}

/// Prints a line to the console, past the log.
#[macro_export]
macro_rules! println {
    ($($arg:tt)*) => { $crate::console::print(::core::format_args!($($arg)*)) };
}

/// Logs what a user wants to know.
#[macro_export]
macro_rules! info {
    ($($arg:tt)*) => { $crate::console::log($crate::console::Level::Info, ::core::format_args!($($arg)*)) };
}

/// Logs what a developer wants to know: to the ring, and to the console with `loglevel=8`.
#[macro_export]
macro_rules! debug {
    ($($arg:tt)*) => { $crate::console::log($crate::console::Level::Debug, ::core::format_args!($($arg)*)) };
}

/// Logs that something is not as it should be.
#[macro_export]
macro_rules! warning {
    ($($arg:tt)*) => { $crate::console::log($crate::console::Level::Warning, ::core::format_args!($($arg)*)) };
}

/// Logs a failure.
#[macro_export]
macro_rules! error {
    ($($arg:tt)*) => { $crate::console::log($crate::console::Level::Err, ::core::format_args!($($arg)*)) };
}
