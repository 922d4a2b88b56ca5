//! What a machine's memory tells of its CPUs: the kernel's trace, and its report of the stop.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use smp_stop::report::{Row, Via, layout as stop_layout};
use smp_stop::{Registers, Report};
use trace::{Clock, Entry, Event, Phase, Raw, Trace, layout};

use crate::kernel::Flavour;
use crate::kernel::elf::Elf;
use crate::vm::console::Console;
use crate::vm::memory;
use crate::vm::qmp::Qmp;

/// The story of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    pub arch: String,
    pub build: String,
    /// By time: nanoseconds, CPU, kind, its two numbers, and in words.
    pub events: Vec<(u64, u32, u8, u16, u32, String)>,
    /// Events that were overwritten or torn.
    pub lost: u64,
    pub stop: Option<StopStory>,
    /// One for each CPU there may be.
    pub rows: Vec<CpuStory>,
    /// When the last thing happened that is known, in nanoseconds.
    pub end: u64,
}

/// The stop as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct StopStory {
    pub reason: String,
    pub state: Option<String>,
    pub owner: String,
    pub began: u64,
    pub took: u64,
}

/// What the report of the stop says of a CPU.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CpuStory {
    pub cpu: u32,
    /// Hexadecimal; empty where there is no report.
    pub hw: String,
    pub owner: bool,
    pub state: Option<String>,
    pub via: Option<String>,
    /// Whether a signal made it answer.
    pub by_signal: bool,
    pub silent: bool,
    pub why: Option<String>,
    pub answered: Option<u64>,
    pub regs: Option<Vec<String>>,
    /// Functions, the innermost first.
    pub trace: Vec<String>,
}

/// A machine that stands.
pub struct Machine<'a> {
    pub qmp: &'a mut Qmp,
    pub elf: &'a Elf,
    /// The console, which has the backtraces.
    pub console: &'a Console,
    pub flavour: Flavour,
    pub cpus: u32,
}

/// The address of the static that is called so.
fn address(elf: &Elf, path: &str) -> Result<u64> {
    let is = |name: &str| format!("{:#}", rustc_demangle::demangle(name)) == path;
    let found = elf.symbols.iter().find(|(name, _)| is(name));
    found
        .map(|(_, address)| *address)
        .with_context(|| format!("the kernel has no {path}"))
}

impl Story {
    /// Reads it from the machine's memory: the console need not work.
    ///
    /// # Errors
    /// When no CPU sees the kernel's memory.
    pub fn read(machine: &mut Machine<'_>) -> Result<Self> {
        let at = address(machine.elf, "kernel::trace::TRACE")?;
        let (seer, area) = machine.find(at)?;
        let trace = trace::decode(&area).context("the kernel's trace is damaged")?;
        let rings = match trace.rings_len() {
            0 => Vec::new(),
            len => memory::read(machine.qmp, seer, trace.rings, len)?,
        };
        let stop = machine.stop_report(seer)?;
        let report = stop
            .as_deref()
            .and_then(|bytes| smp_stop::report::decode(bytes).ok());
        Ok(tell(machine, &trace, &rings, report))
    }
}

impl Story {
    /// The steps of the boot, and how long each took; the kernel's first instruction to its first Rust code is one, too.
    pub fn phases(&self) -> Vec<(String, u64)> {
        let is_phase = |kind: u8, small: u16| match Event::unpack(Raw {
            kind,
            small,
            large: 0,
        }) {
            Some(Event::Phase(phase)) => Some(phase),
            _ => None,
        };
        let begun: Vec<(u64, Phase)> = self
            .events
            .iter()
            .filter_map(|(ns, _, kind, small, ..)| Some((*ns, is_phase(*kind, *small)?)))
            .collect();
        let entry = begun.first().map(|(ns, _)| ("entry".to_owned(), *ns));
        let steps = begun
            .windows(2)
            .map(|pair| (pair[0].1.name().to_owned(), pair[1].0 - pair[0].0));
        entry.into_iter().chain(steps).collect()
    }
}

impl Machine<'_> {
    /// A CPU that sees the trace, and header and first ring of it.
    fn find(&mut self, at: u64) -> Result<(u32, Vec<u8>)> {
        for cpu in 0..self.cpus {
            if let Ok(bytes) = memory::read(self.qmp, cpu, at, layout::AREA_LEN)
                && trace::decode(&bytes).is_ok()
            {
                return Ok((cpu, bytes));
            }
        }
        bail!("no CPU sees a trace at {at:#x}: the kernel did not get that far, or its memory is lost")
    }

    /// The bytes of the report of the stop; `None` while there was none.
    fn stop_report(&mut self, seer: u32) -> Result<Option<Vec<u8>>> {
        let at = address(self.elf, "kernel::account::STOP")?;
        let header = memory::read(self.qmp, seer, at, stop_layout::HEADER_LEN)?;
        let word = |at: usize| Some(u32::from_le_bytes(*header.get(at..)?.first_chunk()?));
        let capacity = word(stop_layout::CAPACITY).unwrap_or(0) as usize;
        if word(0) != Some(stop_layout::MAGIC[0]) || capacity > smp_stop::MAX_CPUS {
            return Ok(None);
        }
        let len = stop_layout::HEADER_LEN + capacity * stop_layout::SLOT_LEN;
        memory::read(self.qmp, seer, at, len).map(Some)
    }
}

fn tell(machine: &Machine<'_>, trace: &Trace<'_>, rings: &[u8], report: Option<Report<'_>>) -> Story {
    let (events, lost) = events(trace, rings);
    let stop = report.and_then(stop);
    let traces = backtraces(&machine.console.text);
    let rows = match report {
        Some(report) => report
            .rows()
            .map(|row| cpu(&row, report, machine.console, &traces))
            .collect(),
        // Nobody asked for a stop: what is known of the CPUs is what their rings say.
        None => (0..(rings.len() / layout::RING_LEN) as u32)
            .map(unasked)
            .collect(),
    };
    let last = events.last().map_or(0, |event| event.0);
    let stopped = stop.as_ref().map_or(0, |stop| stop.began + stop.took);
    Story {
        arch: machine.flavour.arch.to_string(),
        build: machine.flavour.build().to_owned(),
        events,
        lost,
        stop,
        rows,
        end: last.max(stopped),
    }
}

type Told = (u64, u32, u8, u16, u32, String);

/// All events of all rings by time, and how many are gone.
fn events(trace: &Trace<'_>, rings: &[u8]) -> (Vec<Told>, u64) {
    let first = trace.first().map(|entry| (0, entry));
    let others = rings.chunks_exact(layout::RING_LEN).zip(0..);
    let others = others.flat_map(|(ring, cpu)| trace::ring(ring).map(move |entry| (cpu, entry)));
    let mut events: Vec<Told> = first
        .chain(others)
        .map(|(cpu, entry)| told(trace.clock, cpu, entry))
        .collect();
    events.sort_by_key(|event| event.0);
    let heads = rings
        .chunks_exact(layout::RING_LEN)
        .filter_map(|ring| ring.first_chunk());
    let recorded: u64 = heads.map(|head| u64::from(u32::from_le_bytes(*head))).sum();
    let held = events.len() - trace.first().count();
    (events, recorded.saturating_sub(held as u64))
}

fn told(clock: Clock, cpu: u32, entry: Entry) -> Told {
    let raw = entry.event.pack();
    // Without a frequency there are no nanoseconds: cycles show the order at least.
    let ns = clock
        .ns(entry.cycles)
        .unwrap_or(entry.cycles.saturating_sub(clock.entry));
    (ns, cpu, raw.kind, raw.small, raw.large, entry.event.to_string())
}

fn stop(report: Report<'_>) -> Option<StopStory> {
    let summary = report.summary();
    let hold = summary.hold?;
    Some(StopStory {
        reason: hold.reason.name().to_owned(),
        state: summary.verdict.map(|verdict| verdict.name().to_owned()),
        owner: hold.owner.to_string(),
        began: summary.began_at,
        took: summary.took_ns,
    })
}

fn cpu(row: &Row, report: Report<'_>, console: &Console, traces: &BTreeMap<u32, Vec<String>>) -> CpuStory {
    let registers = report.registers(row.cpu);
    CpuStory {
        cpu: row.cpu.as_u32(),
        hw: format!("{:x}", row.hw_id),
        owner: row.owner,
        state: row.view.map(|view| view.state.to_string()),
        via: row.via.map(|via| via.name().to_owned()),
        by_signal: matches!(row.via, Some(Via::Signal(_))),
        silent: row.silent.is_some(),
        why: row.why().map(|why| why.name().to_owned()),
        answered: row.answered_ns,
        regs: registers.as_ref().map(registers_of),
        trace: traces
            .get(&row.cpu.as_u32())
            .cloned()
            .unwrap_or_else(|| place(registers, console)),
    }
}

/// A CPU of which there is no report.
fn unasked(cpu: u32) -> CpuStory {
    CpuStory {
        cpu,
        ..CpuStory::default()
    }
}

/// Without a backtrace on the console: where the CPU was.
fn place(registers: Option<Registers>, console: &Console) -> Vec<String> {
    registers.map_or_else(Vec::new, |registers| console.frames(registers.pc()))
}

/// A block by lines, each word with its name: see `arch/x86/src/stop.rs`, `arch/aarch64/src/stop`.
fn registers_of(registers: &Registers) -> Vec<String> {
    let (names, digits): (Vec<String>, usize) = match registers.machine() {
        62 => (
            split(
                "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags cs ss cr0 cr2 cr3 cr4",
            ),
            16,
        ),
        3 => (
            split("eax ebx ecx edx esi edi ebp esp eip eflags cs ss cr0 cr2 cr3 cr4"),
            8,
        ),
        183 => {
            let general = (0..31).map(|number| format!("x{number}"));
            (general.chain(split("pstate esr far")).collect(), 16)
        }
        _ => (Vec::new(), 16),
    };
    let named = registers.words().iter().enumerate().map(|(at, word)| {
        let name = names.get(at).map_or("", String::as_str);
        format!("{name:>6} {word:0digits$x}")
    });
    let named: Vec<String> = named.collect();
    let lines = named.chunks(4).map(|four| four.concat());
    std::iter::once(registers.to_string()).chain(lines).collect()
}

fn split(names: &str) -> Vec<String> {
    names.split(' ').map(str::to_owned).collect()
}

/// The symbolised backtraces that the console has, by CPU: the owner's and the others'.
fn backtraces(text: &str) -> BTreeMap<u32, Vec<String>> {
    let mut traces: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let (mut owner, mut current) = (None, None);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("@panic cpu=") {
            owner = rest
                .split_whitespace()
                .next()
                .and_then(|cpu| cpu.parse::<u32>().ok());
        } else if line == "backtrace:" {
            current = owner;
        } else if let Some(rest) = line.strip_prefix("backtrace of CPU ") {
            current = rest.trim_end_matches(':').parse().ok();
        } else if let (Some(cpu), Some(frame)) = (current, frame(line)) {
            traces.entry(cpu).or_default().push(frame);
        } else {
            current = None;
        }
    }
    traces
}

/// `  #0 0x1234 function (file:line)` without the number and, where there is a name, without the address.
fn frame(line: &str) -> Option<String> {
    if let Some(outer) = line.trim_start().strip_prefix("inlined into ") {
        return Some(format!("inlined into {outer}"));
    }
    let (_, rest) = line.strip_prefix("  #")?.split_once(' ')?;
    let named = rest.split_once(' ').map(|(_, name)| name.trim());
    Some(named.unwrap_or(rest).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_their_names() {
        let of = |machine: u16, count: u64| {
            let mut registers = Registers::EMPTY;
            registers.begin(machine, 0x10, 0x20, 0x30);
            (0..count).for_each(|word| registers.push(word));
            registers_of(&registers)
        };
        let long = of(62, 24);
        assert!(
            long[0].contains("0x10") && long[1].starts_with("   rax 0000000000000000   rbx"),
            "{long:?}"
        );
        assert!(
            long[6].starts_with("   cr0 0000000000000014") && long[6].contains("   cr4 0000000000000017")
        );
        assert!(of(3, 16)[4].starts_with("   cr0 0000000c"));
        assert!(of(183, 34)[9].contains("   far 0000000000000021"));
        assert!(of(1, 2)[1].contains("0000000000000001"), "a machine nobody knows");
    }

    #[test]
    fn each_backtrace_is_its_cpus() {
        let text = "\
@panic cpu=1 reason=panic why=\"x\"
backtrace:
  #0 0xffffffff80000010 one (a.rs:1)
       inlined into two (b.rs:2)
  #1 0xffffffff80000020
stop: panic by CPU 1
backtrace of CPU 0:
  #0 0xffffffff80000030 three
@stop state=stopped
";
        let traces = backtraces(text);
        assert_eq!(
            traces[&1],
            ["one (a.rs:1)", "inlined into two (b.rs:2)", "0xffffffff80000020"]
        );
        assert_eq!(traces[&0], ["three"]);
        assert!(backtraces("backtrace:\n  #0 0x10 nobody\n").is_empty());
    }
}
