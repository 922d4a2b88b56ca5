//! One run, from the first instruction to the verdict.

mod afterwards;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::console::Console;
use super::input::{Input, Keyboard};
use super::judge::{End, Stop, judge};
use super::pipe::Pipe;
use super::postmortem::{self, Cpu};
use super::process::Process;
use super::qmp::Qmp;
use super::record::Record;
use super::{Event, Outcome, Watch, record};
use crate::arch::Arch;
use crate::audit::Audit;
use crate::kernel::{Artefact, Flavour};

/// Between the kernel's last word and the machine's deed. Generous: hundreds of CPUs may share two.
const GRACE: Duration = Duration::from_secs(10);
/// Between a halt's announcement and the end of the run. Nothing is to come: an end would be against its word.
const HALT: Duration = Duration::from_secs(1);
/// Between a standstill's announcement and its audit. A machine that does not stay is gone by then.
const AUDIT: Duration = Duration::from_millis(200);
/// For QEMU to end after it was asked to.
const LEAVE: Duration = Duration::from_secs(5);
/// Between two looks at a CPU that seems to be lost.
const LOOK: Duration = Duration::from_millis(50);
/// Between two looks at a pipe.
const TICK: Duration = Duration::from_millis(2);

/// After so much silence somebody looks whether a CPU is lost; after that more rarely.
const SILENCE: Duration = Duration::from_secs(2);
/// How often firmware may reset the machine again after a reset, before the kernel has said a word.
const FIRMWARE_RESETS: u32 = 3;

/// The detail of an early death that QEMU saw to be a triple fault.
pub const TRIPLE_FAULT: &str = "triple fault";

/// A machine that runs, and all that is attached to it.
pub struct Run {
    pub arch: Arch,
    pub flavour: Flavour,
    /// How many CPUs it has.
    pub cpus: u32,
    /// The kernel, to be read when it is audited or dies.
    pub elf: Artefact,
    /// Whether somebody else speaks to a gdb server.
    pub has_gdb: bool,
    /// Whether instructions are counted: then nobody looks at the machine while it runs.
    pub counted: bool,
    pub process: Process,
    pub qmp: Qmp,
    pub console: Console,
    pub pipe: Pipe,
    pub events: Receiver<Event>,
    pub keyboard: Keyboard,
    /// QEMU's standard error.
    pub complaints: JoinHandle<String>,
    pub started: Instant,
    pub watch: Watch,
    /// Whether somebody wanted it to end while the machine was not waited for.
    pub is_to_end: bool,
    /// Where a core of the machine goes, once it has come to its end.
    pub core: Option<PathBuf>,
}

impl Run {
    /// Stays until the end.
    pub fn watch(mut self) -> Outcome {
        let stop = self.wait();
        let wall = self.started.elapsed();
        self.settle();
        let audit = self.audit(&stop);
        let has_core = self.core();
        let triple = self.triple_fault();
        let (mut cpus, mut death) = match verdict(&stop, &audit, &self.console.records, triple) {
            end if end.is_bad() => self.post_mortem(&stop, end),
            _ => (Vec::new(), None),
        };
        let story = self.story();
        let _ = self.qmp.tell("quit", &json!({}));
        self.drain();
        // On a busy host the last words may have come only now.
        let end = verdict(&stop, &audit, &self.console.records, triple);
        if !end.is_bad() {
            cpus.clear();
            death = None;
        }
        self.process.leave(LEAVE);
        let counts = self.process.counts();
        self.keyboard.stop();
        let complaints = self.complaints.join().unwrap_or_default();
        let (end, detail) = explain(&stop, end, triple, &complaints, looping(&cpus, &self.console));
        let detail = death.as_ref().map_or(detail, |death| death.summary.clone());
        Outcome {
            end,
            detail: match &audit {
                Some(Ok(audit)) if !audit.agrees() => audit.summary(),
                Some(Err(error)) => format!("no audit: {error:#}"),
                _ => detail,
            },
            audit: audit.and_then(Result::ok),
            has_core,
            ready: self.console.ready,
            counts,
            death,
            story,
            places: cpus.iter().map(|cpu| place(cpu, &self.console)).collect(),
            records: self.console.records,
            text: self.console.text,
            wall,
        }
    }

    fn wait(&mut self) -> Stop {
        let timeout = self.watch.timeout.map(|timeout| self.started + timeout);
        let mut lingering = None;
        let mut looks = Looks::new(self.arch.is_x86() || self.counted);
        let mut resets = (0, 0);
        loop {
            if self.is_to_end {
                return Stop::Asked;
            }
            let after_ready = self
                .watch
                .after_ready
                .zip(self.console.ready)
                .map(|(more, ready)| self.started + ready + more);
            let deadline = [timeout, after_ready, lingering, looks.next]
                .into_iter()
                .flatten()
                .min();
            match self.next(deadline) {
                Some(Event::Console(bytes)) => {
                    self.console.feed(&bytes);
                    looks.heard();
                    self.keyboard.heard(&self.console.records);
                    lingering = lingering.or_else(|| Some(Instant::now() + self.grace()?));
                }
                Some(Event::Shutdown(reason)) if resets.0 < self.watch.resets => {
                    if let Err(stop) = self.come_up_again(reason) {
                        return stop;
                    }
                    (resets, lingering) = ((resets.0 + 1, 0), None);
                }
                // SeaBIOS, having found that it ran before, resets the machine once more.
                Some(Event::Shutdown(_))
                    if resets.0 > 0 && resets.1 < FIRMWARE_RESETS && self.console.silent =>
                {
                    resets.1 += 1;
                    self.process.was_reset();
                    if self.qmp.restart().is_err() {
                        return Stop::Gone;
                    }
                }
                Some(Event::Shutdown(reason)) => return Stop::Machine(reason),
                Some(Event::ConsoleClosed | Event::QmpClosed) => return Stop::Gone,
                Some(Event::Quit) => return Stop::Asked,
                None if lingering == deadline => return Stop::Lingering,
                None if looks.next == deadline => {
                    looks.done();
                    if let Some(cpu) = self.lost() {
                        return Stop::Looping(cpu);
                    }
                }
                None => return Stop::Timeout,
            }
        }
    }

    /// After a reset that was announced the machine goes on from the start. Any other end is one.
    fn come_up_again(&mut self, reason: String) -> Result<(), Stop> {
        self.settle();
        let stop = Stop::Machine(reason);
        let triple = self.triple_fault();
        if judge(&stop, &self.console.records, triple) != End::Reboot {
            return Err(stop);
        }
        self.process.was_reset();
        self.console.was_reset();
        self.qmp.restart().map_err(|_| Stop::Gone)
    }

    /// Once the kernel has said its last word: how long to wait for what it announced. A person may want to look at a
    /// halted machine for as long as they like.
    fn grace(&self) -> Option<Duration> {
        let end = record::last(record::since_reset(&self.console.records), "end")?.get("how")?;
        match (end, self.watch.input) {
            ("halt" | "panic", _) if self.watch.audit.is_some() || self.core.is_some() => Some(AUDIT),
            ("halt" | "panic", Input::Terminal) => None,
            ("halt", _) => Some(HALT),
            _ => Some(GRACE),
        }
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

    /// Takes what the machine has written, however long it is on its way from thread to thread.
    fn settle(&mut self) {
        self.listen_until(Pipe::is_empty);
    }

    /// Takes what QEMU writes until it is gone.
    fn drain(&mut self) {
        self.listen_until(Pipe::is_closed);
    }

    fn listen_until(&mut self, is_all: fn(&Pipe) -> bool) {
        let deadline = Instant::now() + LEAVE;
        loop {
            let is_last = is_all(&self.pipe) || Instant::now() >= deadline;
            while let Ok(event) = self.events.try_recv() {
                match event {
                    Event::Console(bytes) => self.console.feed(&bytes),
                    Event::Quit => self.is_to_end = true,
                    _ => {}
                }
            }
            if is_last {
                return;
            }
            thread::sleep(TICK);
        }
    }

    /// The CPU that takes exceptions for ever, if one does: twice in a row.
    fn lost(&mut self) -> Option<u32> {
        let mut look = || {
            let text = self.qmp.human("info registers -a").ok()?;
            Some(looping(&postmortem::parse(&text), &self.console)?.index)
        };
        let first = look()?;
        thread::sleep(LOOK);
        look().filter(|second| *second == first)
    }
}

/// When to look at a machine that says nothing.
struct Looks {
    next: Option<Instant>,
    pause: Duration,
}

impl Looks {
    /// Never, if it is `needless`.
    fn new(needless: bool) -> Self {
        Self {
            next: (!needless).then(|| Instant::now() + SILENCE),
            pause: SILENCE,
        }
    }

    fn heard(&mut self) {
        self.pause = SILENCE;
        self.done();
    }

    fn done(&mut self) {
        self.next = self.next.map(|_| Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(SILENCE * 16);
    }
}

/// How the run ended, as far as it was heard.
fn verdict(stop: &Stop, audit: &Option<Result<Audit>>, records: &[Record], triple: bool) -> End {
    match audit {
        Some(audit) if !audit.as_ref().is_ok_and(Audit::agrees) => End::Contradiction,
        _ => judge(stop, records, triple),
    }
}

fn place(cpu: &Cpu, console: &Console) -> String {
    console
        .frames(cpu.pc)
        .into_iter()
        .next()
        .unwrap_or_else(|| format!("{:#x}", cpu.pc))
}

/// A CPU that is lost in its own vectors, outside the kernel.
fn looping<'a>(cpus: &'a [Cpu], console: &Console) -> Option<&'a Cpu> {
    cpus.iter()
        .find(|cpu| cpu.may_be_lost() && console.frames(cpu.pc).is_empty())
}

/// The verdict, and what else is to be said of it.
fn explain(stop: &Stop, end: End, triple: bool, complaints: &str, looping: Option<&Cpu>) -> (End, String) {
    match (end, stop, looping) {
        // No reset ends it on this architecture, but it is the same death.
        (End::Timeout | End::EarlyDeath, Stop::Timeout | Stop::Looping(_), Some(cpu)) => (
            End::EarlyDeath,
            format!("CPU {} takes the exception at {:#x} for ever", cpu.index, cpu.pc),
        ),
        (End::EarlyDeath, ..) if triple => (end, TRIPLE_FAULT.into()),
        (End::EarlyDeath, ..) => (end, "no triple fault: something asked for the reset".into()),
        (End::QemuDied, Stop::Machine(reason), _) => (end, reason.clone()),
        (End::QemuDied, ..) => (end, complaints.trim().to_owned()),
        (End::Contradiction, Stop::Lingering, _) => (
            end,
            format!("still running {} s after its last word", GRACE.as_secs()),
        ),
        _ => (end, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_loop_is_an_early_death() {
        let cpu = Cpu {
            index: 2,
            pc: 0x200,
            halted: None,
        };
        let (end, detail) = explain(&Stop::Timeout, End::Timeout, false, "", Some(&cpu));
        assert_eq!(
            (end, detail.as_str()),
            (End::EarlyDeath, "CPU 2 takes the exception at 0x200 for ever")
        );
        assert_eq!(
            explain(&Stop::Timeout, End::Timeout, false, "", None).0,
            End::Timeout
        );
        assert_eq!(
            explain(&Stop::Gone, End::QemuDied, false, "why\n", Some(&cpu)),
            (End::QemuDied, "why".into())
        );
    }

    #[test]
    fn a_triple_fault_is_told_from_a_reset() {
        let stop = Stop::Machine("guest-reset".into());
        assert_eq!(explain(&stop, End::EarlyDeath, true, "", None).1, "triple fault");
        assert_ne!(explain(&stop, End::EarlyDeath, false, "", None).1, "triple fault");
    }
}
