//! The command line: `name=value` words, a table of those the kernel knows, the rest kept for init.

use core::sync::atomic::{AtomicU64, Ordering};

use boot_info::cmdline::{Event, Param, ValueError, number_up_to, parse_args, parse_size};

use crate::arch::Arch;
use crate::{console, info, inject, panic, power, smp, trace, warning};

/// `mem=`; 0 for all.
static MEM_LIMIT: AtomicU64 = AtomicU64::new(0);

/// Words of the command line that are read before memory is set up.
pub const EARLY: &[Param] = &[
    Param {
        name: "earlycon",
        help: "earlycon[=KIND,ADDRESS]  use this UART from the first line on, whatever the firmware says",
        parse: |value| earlycon(value.unwrap_or_default()),
    },
    Param {
        name: "loglevel",
        help: "loglevel=N  show messages of levels below N on the console: 0 none .. 8 all (default 7)",
        parse: |value| number_up_to(15, value).map(|n| console::set_loglevel(n as u8)),
    },
    Param {
        name: "quiet",
        help: "quiet  show only warnings and errors on the console",
        parse: |_| {
            console::set_loglevel(5);
            Ok(())
        },
    },
    Param {
        name: "mem",
        help: "mem=SIZE  use only so much RAM: bytes, or K, M, G; at least 8M",
        parse: |value| mem(value.ok_or(ValueError::Missing)?),
    },
    Param {
        name: "panic",
        help: "panic=N  after a panic: reboot after N seconds, 0 stay stopped (default), below 0 reboot at once",
        parse: |value| panic_after(value.ok_or(ValueError::Missing)?),
    },
    Param {
        name: "reboot",
        help: "reboot=WAY  the way to reset the machine that is tried first; its first letter is enough",
        parse: |value| power::choose(value.ok_or(ValueError::Missing)?).map_err(ValueError::Other),
    },
    trace::PARAM,
];

/// Words that are read later: they are only collected here.
pub const LATE: &[Param] = &[Param {
    name: "run",
    help: "run=CMD;CMD  commands for the monitor before its first prompt; in double quotes if they hold blanks",
    parse: |value| value.map(drop).ok_or(ValueError::Missing),
}];

/// How `earlycon=` reaches the architecture; a table of plain functions cannot be generic.
static EARLYCON: spin::Once<SetEarlycon> = spin::Once::new();
/// Words that the architecture knows.
static OF_ARCH: spin::Once<&'static [Param]> = spin::Once::new();

type SetEarlycon = fn(&str) -> Result<(), &'static str>;

fn earlycon(value: &str) -> Result<(), ValueError> {
    let set = EARLYCON
        .get()
        .ok_or(ValueError::Other("no early console on this architecture"))?;
    set(value).map_err(ValueError::Other)
}

fn mem(value: &str) -> Result<(), ValueError> {
    const LEAST: u64 = 8 << 20;
    match parse_size(value)? {
        n if n < LEAST => Err(ValueError::Other("less than 8M, which the kernel needs")),
        n => {
            MEM_LIMIT.store(n, Ordering::Relaxed);
            Ok(())
        }
    }
}

fn panic_after(value: &str) -> Result<(), ValueError> {
    let seconds = value.parse::<i32>().map_err(|_| ValueError::NotANumber)?;
    panic::set_after(seconds);
    Ok(())
}

/// The limit of `mem=`, in bytes, if there is one.
pub(crate) fn mem_limit() -> Option<u64> {
    Some(MEM_LIMIT.load(Ordering::Relaxed)).filter(|n| *n != 0)
}

/// Reads what must be known before memory is set up. What is wrong with a word is said by [`parse_late`].
pub(crate) fn parse_early<A: Arch>(line: &str) {
    EARLYCON.call_once(|| A::earlycon);
    OF_ARCH.call_once(|| A::PARAMS);
    // Once the command line has been read, Linux's default holds: stay, so that somebody can look.
    panic::set_after(0);
    parse_args(
        line,
        &[EARLY, A::PARAMS, smp::PARAMS, inject::PARAMS],
        &mut |_| {},
    );
    inject::seal();
}

/// Goes through the whole line and says what was not understood. Nothing is fatal, nothing is lost: what is unknown
/// belongs to init.
pub(crate) fn parse_late(line: &str) {
    parse_args(
        line,
        &[EARLY, of_arch(), smp::PARAMS, inject::PARAMS, LATE],
        &mut |event| match event {
            Event::Bad { arg, why } => warning!("command line: {}: {why}", arg.raw),
            Event::OpenQuote(arg) => warning!("command line: {}: quote is not closed", arg.raw),
            Event::Unknown(arg) => info!("command line: {} is unknown here, kept for init", arg.raw),
            Event::ForInit(rest) => info!("command line: for init: {rest}"),
        },
    );
}

fn of_arch() -> &'static [Param] {
    OF_ARCH.get().copied().unwrap_or_default()
}

/// The value of the last `name=` on the line.
pub(crate) fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let words = boot_info::cmdline::Params::new(line).take_while(|arg| !arg.is_separator());
    words
        .filter(|arg| boot_info::cmdline::same_name(arg.name, name))
        .last()?
        .value
}

/// All parameters, for `params`.
pub(crate) fn all() -> impl Iterator<Item = &'static Param> {
    let of_arch = of_arch().iter();
    EARLY
        .iter()
        .chain(of_arch)
        .chain(smp::PARAMS)
        .chain(inject::PARAMS)
        .chain(LATE)
}
