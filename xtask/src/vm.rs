//! Boots a kernel in a virtual machine, watches it, and judges how it ended.

pub mod console;
pub mod input;
pub mod judge;
pub mod machine;
pub mod postmortem;
pub mod process;
pub mod qmp;
pub mod record;
pub mod spec;
pub mod symbolise;
pub mod terminal;

use std::io::Read;
use std::process::ChildStderr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use self::console::{Console, Show};
use self::input::{Input, Keyboard};
use self::judge::{End, Stop, judge};
use self::process::Process;
use self::qmp::Qmp;
use self::record::Record;
use self::spec::Spec;
use self::symbolise::Symbols;
use crate::exit::Refused;

/// Between the kernel's last word and the machine's deed. Generous: hundreds of CPUs may share two.
const GRACE: Duration = Duration::from_secs(10);
/// For QEMU to end after it was asked to.
const LEAVE: Duration = Duration::from_secs(5);

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
    /// The program counters of a run that ended badly, innermost function of each.
    pub places: Vec<String>,
}

/// Boots `spec` and stays until it ends.
///
/// # Errors
/// When QEMU does not start; a guest's bad end is an [`Outcome`].
pub fn run(spec: &Spec<'_>, watch: Watch) -> Result<Outcome> {
    let symbols = Symbols::open(&spec.kernel.elf).ok();
    let (sender, events) = channel();
    let (mut process, socket) = process::start(spec)?;
    let (stdin, stdout, stderr) = process.pipes().context("QEMU has no pipes")?;
    let complaints = collect(stderr);
    thread::spawn({
        let sender = sender.clone();
        move || pump(stdout, &sender)
    });
    let mut qmp = Qmp::start(socket, sender.clone())?;
    if let Err(error) = qmp.negotiate() {
        process.kill();
        return Err(refused(spec, &complaints.join().unwrap_or_default(), &error));
    }
    let keyboard = Keyboard::start(watch.input, stdin, sender)?;
    if spec.gdb.is_none() {
        qmp.command("cont", &json!({}))?;
    }
    let console = Console::new(watch.show, symbols);
    let run = Run {
        process,
        qmp,
        console,
        events,
        keyboard,
        complaints,
        started: Instant::now(),
        watch,
    };
    Ok(run.watch())
}

fn pump(mut stdout: impl Read, events: &Sender<Event>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stdout.read(&mut buffer) {
        if events.send(Event::Console(buffer[..count].to_vec())).is_err() {
            return;
        }
    }
    let _ = events.send(Event::ConsoleClosed);
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
    Refused::usage(format!(
        "{qemu} refuses to start:\n{}\n`{qemu} -M help` and `{qemu} -M {} -cpu help` list the choices",
        said.trim(),
        spec.machine
    ))
}

struct Run {
    process: Process,
    qmp: Qmp,
    console: Console,
    events: Receiver<Event>,
    keyboard: Keyboard,
    complaints: JoinHandle<String>,
    started: Instant,
    watch: Watch,
}

impl Run {
    fn watch(mut self) -> Outcome {
        let stop = self.wait();
        let wall = self.started.elapsed();
        let places = if judge(&stop, &self.console.records).is_bad() {
            self.post_mortem()
        } else {
            Vec::new()
        };
        // All that the guest wrote before its end is on its way already, and counts.
        let _ = self.qmp.tell("quit", &json!({}));
        self.drain();
        let triple = self.process.triple_fault();
        self.process.kill();
        self.keyboard.stop();
        let end = judge(&stop, &self.console.records);
        let complaints = self.complaints.join().unwrap_or_default();
        Outcome {
            end,
            detail: detail(&stop, end, triple, &complaints),
            ready: self.console.ready,
            records: self.console.records,
            text: self.console.text,
            wall,
            places,
        }
    }

    fn wait(&mut self) -> Stop {
        let timeout = self.watch.timeout.map(|timeout| self.started + timeout);
        let mut lingering = None;
        loop {
            let deadline = [timeout, lingering].into_iter().flatten().min();
            match self.next(deadline) {
                Some(Event::Console(bytes)) => {
                    if self.console.feed(&bytes).is_err() {
                        return Stop::Asked; // nobody reads any longer
                    }
                    self.keyboard.heard(&self.console.records);
                    if lingering.is_none() && self.is_over() {
                        lingering = Some(Instant::now() + GRACE);
                    }
                }
                Some(Event::Shutdown(reason)) => return Stop::Machine(reason),
                Some(Event::ConsoleClosed | Event::QmpClosed) => return Stop::Gone,
                Some(Event::Quit) => return Stop::Asked,
                None if lingering == deadline => return Stop::Lingering,
                None => return Stop::Timeout,
            }
        }
    }

    /// Whether the kernel has said its last word. A person may want to look at a halted machine for as long as they like.
    fn is_over(&self) -> bool {
        let end = record::last(&self.console.records, "end").and_then(|end| end.get("how"));
        end.is_some_and(|how| !(self.watch.input == Input::Terminal && matches!(how, "halt" | "panic")))
    }

    fn next(&self, deadline: Option<Instant>) -> Option<Event> {
        let Some(deadline) = deadline else {
            return Some(self.events.recv().unwrap_or(Event::ConsoleClosed));
        };
        match self
            .events
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::ConsoleClosed),
        }
    }

    fn drain(&mut self) {
        let deadline = Instant::now() + LEAVE;
        while let Some(event) = self.next(Some(deadline)) {
            match event {
                Event::Console(bytes) => drop(self.console.feed(&bytes)),
                Event::ConsoleClosed => return,
                _ => {}
            }
        }
    }

    /// Says what each CPU was doing.
    fn post_mortem(&mut self) -> Vec<String> {
        let Ok(cpus) = postmortem::look(&mut self.qmp) else {
            return Vec::new();
        };
        let text = postmortem::describe(&cpus, &self.console);
        self.console
            .note(&format!("xtask: the CPUs, as they stood:\n{text}"));
        let inner = |cpu: &postmortem::Cpu| self.console.frames(cpu.pc).into_iter().next();
        cpus.iter()
            .map(|cpu| inner(cpu).unwrap_or_else(|| format!("{:#x}", cpu.pc)))
            .collect()
    }
}

fn detail(stop: &Stop, end: End, triple: bool, complaints: &str) -> String {
    match (stop, end) {
        (_, End::EarlyDeath) if triple => "triple fault".into(),
        (_, End::EarlyDeath) => "no triple fault: something asked for the reset".into(),
        (Stop::Gone, _) => complaints.trim().to_owned(),
        (Stop::Machine(reason), End::QemuDied) => reason.clone(),
        (Stop::Lingering, End::Contradiction) => {
            format!("still running {} s after its last word", GRACE.as_secs())
        }
        _ => String::new(),
    }
}
