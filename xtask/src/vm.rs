//! Boots a kernel in a virtual machine, watches it, and judges how it ended.

pub mod console;
pub mod count;
pub mod dump;
pub mod efi;
pub mod escapes;
pub mod gdb;
pub mod grub;
pub mod input;
pub mod judge;
pub mod machine;
pub mod media;
pub mod memory;
pub mod pipe;
pub mod postmortem;
pub mod probe;
pub mod process;
pub mod qmp;
pub mod ram;
pub mod record;
pub mod run;
pub mod smp;
pub mod spec;
pub mod symbolise;
pub mod tables;
pub mod terminal;

use std::io::Read;
use std::path::Path;
use std::process::ChildStderr;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use self::console::{Console, Show};
use self::count::Counts;
use self::input::{Input, Keyboard};
use self::judge::End;
use self::pipe::Pipe;
use self::qmp::Qmp;
use self::record::Record;
use self::run::Run;
use self::spec::Spec;
use self::symbolise::Symbols;
use crate::audit::{Audit, Honesty};
use crate::death::Death;
use crate::exit::Refused;
use crate::report::Story;

/// What the threads around a run tell it.
pub enum Event {
    /// The guest wrote this.
    Console(Vec<u8>),
    /// QEMU closed the console: it is gone.
    ConsoleClosed,
    /// The machine came to an end; QEMU's reason.
    Shutdown(String),
    /// QEMU closed its socket.
    QmpClosed,
    /// A person or a signal wants it to end.
    Quit,
}

/// How to watch.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    pub show: Show,
    pub input: Input,
    /// Wall time from start to end; without it the run may last for ever.
    pub timeout: Option<Duration>,
    /// Wall time from the readiness line to the end.
    pub after_ready: Option<Duration>,
    /// Whether a machine that stays after its kernel's last word is audited. A kernel that panics is to be told to stay, by
    /// `panic=0`.
    pub audit: Option<Honesty>,
    /// How many announced resets the machine survives: it comes up again. The next one is its end.
    pub resets: u32,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub end: End,
    /// What else is known of the end, for a person.
    pub detail: String,
    pub records: Vec<Record>,
    /// The console, annotated.
    pub text: String,
    pub wall: Duration,
    /// Wall time to the readiness line.
    pub ready: Option<Duration>,
    /// Of a machine that was to be audited, and stayed.
    pub audit: Option<Audit>,
    /// Whether a core was wanted, and was written.
    pub has_core: bool,
    /// Of a counted run.
    pub counts: Option<Counts>,
    /// Why it died, if it died without a word.
    pub death: Option<Death>,
    /// The program counters of a run that ended badly, innermost function of each.
    pub places: Vec<String>,
    /// What the machine's memory told of its CPUs, if anybody wants to know and it could be read.
    pub story: Option<Story>,
}

/// Boots `spec` and stays until it ends.
///
/// # Errors
/// When QEMU does not start; a guest's bad end is an [`Outcome`].
pub fn run(spec: &Spec<'_>, watch: Watch) -> Result<Outcome> {
    run_with(spec, watch, drop)
}

/// As [`run()`]; `beside` is called once QEMU listens, with a way to end the run.
///
/// # Errors
/// As [`run()`].
pub fn run_with(spec: &Spec<'_>, watch: Watch, beside: impl FnOnce(Sender<Event>)) -> Result<Outcome> {
    Ok(start(spec, watch, beside)?.watch())
}

/// As [`run()`]; once the machine has come to its end, its memory and registers go to `core`. If that fails, what was there
/// stays, and the console says why.
///
/// # Errors
/// As [`run()`].
pub fn run_to_core(spec: &Spec<'_>, watch: Watch, core: &Path) -> Result<Outcome> {
    let mut run = start(spec, watch, drop)?;
    run.core = Some(core.to_owned());
    Ok(run.watch())
}

fn start(spec: &Spec<'_>, watch: Watch, beside: impl FnOnce(Sender<Event>)) -> Result<Run> {
    let symbols = Symbols::open(&spec.kernel.elf).ok();
    let (sender, events) = channel();
    let (mut process, socket) = process::start(spec)?;
    let (stdin, stdout, stderr) = process.pipes().context("QEMU has no pipes")?;
    let complaints = collect(stderr);
    let pipe = Pipe::start(stdout, sender.clone())?;
    let mut qmp = Qmp::start(socket, sender.clone())?;
    if let Err(error) = qmp.negotiate() {
        process.kill();
        return Err(refused(spec, &complaints.join().unwrap_or_default(), &error));
    }
    let keyboard = Keyboard::start(watch.input, stdin, sender.clone())?;
    beside(sender);
    if spec.gdb.is_none() {
        qmp.command("cont", &json!({}))?;
    }
    let console = Console::new(watch.show, symbols);
    Ok(Run {
        arch: spec.kernel.flavour.arch,
        flavour: spec.kernel.flavour,
        cpus: spec.cpus,
        elf: spec.kernel.elf.again()?,
        has_gdb: spec.gdb.is_some(),
        counted: spec.counting.is_some(),
        process,
        qmp,
        console,
        pipe,
        events,
        keyboard,
        complaints,
        started: Instant::now(),
        watch,
        is_to_end: false,
        core: None,
    })
}

/// QEMU's standard error, to the end.
fn collect(mut stderr: ChildStderr) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// QEMU ended before it ran: it did not like its arguments, most of which come from the user.
fn refused(spec: &Spec<'_>, said: &str, error: &anyhow::Error) -> anyhow::Error {
    let qemu = spec.kernel.flavour.arch.qemu();
    if said.is_empty() {
        return anyhow::anyhow!("{qemu} does not start: {error:#}");
    }
    Refused::usage(format!("{qemu} refuses to start:\n{}", said.trim()))
}
