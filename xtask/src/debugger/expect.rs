//! What gdb has to answer about a kernel, from what the machine's memory and its console say: read by the crates that the
//! kernel itself writes it with.

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use smp_stop::report::{RungKind, Via, layout as stop_layout};
use smp_stop::{CpuId, Report};
use trace::layout;

use super::answers::{Answers, BLUNDERS, PRETTY, percpu};
use crate::guest::core::Core;
use crate::kernel::elf::Elf;

/// What is so.
#[derive(Clone, Debug)]
pub struct Facts {
    pub cpus: u32,
    /// The stop report as the kernel prints it; functions follow in gdb.
    pub report: Vec<String>,
    /// All of the trace; none: the machine ran on after it was looked at.
    pub trace: Vec<String>,
    /// What stood on the console.
    pub log: Vec<String>,
    /// Of each CPU, functions that its backtrace has.
    pub functions: Vec<Vec<&'static str>>,
    /// What the boot CPU says it is doing.
    pub phase: &'static str,
}

impl Facts {
    /// What the core's memory says.
    ///
    /// # Errors
    /// When it is not in the core.
    pub fn read(core: &Core, elf: &Elf, console: &str) -> Result<Self> {
        let at = elf
            .rust_symbol("kernel::account::STOP")
            .context("no stop report")?;
        let header = core.read(at, stop_layout::HEADER_LEN)?;
        let word =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let slots = word(stop_layout::CAPACITY) as usize;
        let bytes = core.read(at, stop_layout::HEADER_LEN + slots * stop_layout::SLOT_LEN)?;
        let report = smp_stop::report::decode(&bytes)?;
        Ok(Self {
            cpus: report.summary().cpus as u32,
            report: report.to_string().lines().map(str::to_owned).collect(),
            trace: trace(core, elf)?,
            log: log(console),
            functions: functions(report),
            phase: match report.summary().hold {
                Some(_) => "panicking",
                None => "running threads",
            },
        })
    }

    /// What is wrong with gdb's answers.
    pub fn judge(&self, answers: &Answers) -> Vec<String> {
        let mut wrong: Vec<String> = self.threads(answers).into_iter().collect();
        wrong.extend(self.backtraces(answers));
        wrong.extend(self.lines(answers));
        for cpu in 0..self.cpus {
            let answer = answers.get(&percpu(cpu)).trim_end();
            wrong.extend(
                (!answer.ends_with(&format!(": {cpu}"))).then(|| format!("{}: {answer}", percpu(cpu))),
            );
        }
        for (question, said) in BLUNDERS {
            let answer = answers.get(question);
            let is_said = said.split('|').any(|said| answer.contains(said));
            wrong.extend((!is_said).then(|| format!("{question}: {answer:?} and not {said:?}")));
        }
        let pretty = answers.get(PRETTY);
        let is_pretty = pretty.contains(&format!("= \"{}\"", self.phase));
        wrong.extend((!is_pretty).then(|| format!("{PRETTY}: {pretty}")));
        let mishaps = [
            "Traceback (most recent",
            "Python Exception",
            "Error occurred in Python",
        ];
        let all = answers.all();
        wrong.extend(
            all.filter(|(_, text)| mishaps.iter().any(|mishap| text.contains(mishap)))
                .map(|(question, text)| format!("{question}: the script failed: {text}")),
        );
        wrong
    }

    fn threads(&self, answers: &Answers) -> Option<String> {
        let text = answers.get("info threads");
        let count = text.lines().filter(|line| is_thread(line)).count();
        (count != self.cpus as usize).then(|| format!("info threads: {count} of {} CPUs:\n{text}", self.cpus))
    }

    fn backtraces(&self, answers: &Answers) -> Vec<String> {
        let text = answers.get("thread apply all bt");
        let mut wrong = Vec::new();
        let of = |cpu: usize| {
            let head = format!("\nThread {} (", cpu + 1);
            let (_, rest) = text.split_once(&head)?;
            Some(rest.split("\nThread ").next().unwrap_or(rest))
        };
        for (cpu, functions) in self.functions.iter().enumerate() {
            let backtrace = of(cpu).unwrap_or("none");
            let missing = functions.iter().find(|name| !backtrace.contains(**name));
            wrong.extend(missing.map(|name| format!("the backtrace of CPU {cpu} lacks {name}: {backtrace}")));
            wrong.extend(
                astray(backtrace)
                    .map(|line| format!("the backtrace of CPU {cpu} ends at {line:?}: {backtrace}")),
            );
        }
        wrong
    }

    fn lines(&self, answers: &Answers) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut compare = |question: &str, expected: &[String], is_it: &dyn Fn(&str, &str) -> bool| {
            let text = answers.get(question);
            let mut lines = text.lines();
            let missing = expected
                .iter()
                .find(|line| !lines.any(|found| is_it(found, line)));
            wrong
                .extend(missing.map(|line| format!("{question}: not, or not in order: {line:?} in\n{text}")));
        };
        compare("ss stop-report", &self.report, &|found, line| {
            found.trim_end().starts_with(line.trim_end())
        });
        compare("ss trace", &self.trace, &|found, line| found == line);
        compare("ss log", &self.log, &|found, line| found.contains(line));
        let states: Vec<String> = self.report[2..]
            .iter()
            // Below the rows is what CPUs said.
            .take_while(|line| !line.starts_with("CPU "))
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let (cpu, hw, state) = (words.next()?, words.next()?, words.next()?);
                // The owner's state is that of any CPU that runs.
                let state = if state == "owner" { "online" } else { state };
                Some(format!("{cpu:>5}  {hw:>11}  {state:<14}  "))
            })
            .collect();
        compare("ss cpus", &states, &|found, line| {
            found.starts_with(line) && found.contains("; pc=0x")
        });
        wrong
    }
}

/// The line that says that a backtrace did not end at the outermost function of a stack.
pub fn astray(backtrace: &str) -> Option<&str> {
    let is_astray = |line: &&str| line.starts_with("Backtrace stopped") || line.contains(" in ?? (");
    backtrace.lines().find(is_astray)
}

fn is_thread(line: &str) -> bool {
    let line = line.trim_start_matches(['*', ' ']);
    let mut words = line.split_whitespace();
    words.next().is_some_and(|word| word.parse::<u32>().is_ok())
        && words.next().is_some_and(|word| ["LWP", "Thread"].contains(&word))
}

/// What each CPU must have been in. One that was stopped by force may have been anywhere.
fn functions(report: Report<'_>) -> Vec<Vec<&'static str>> {
    const BUSY: [&str; 2] = ["kernel::monitor::commands::busy", "kernel::sched::thread_entry"];
    let stopped = report.summary().hold.is_some();
    report
        .rows()
        .map(|row| match row.via {
            Some(Via::Owner) => vec![
                "kernel::panic::panic",
                "kernel::monitor::main",
                "kernel::sched::thread_entry",
            ],
            Some(Via::Signal(RungKind::Interrupt)) => BUSY.to_vec(),
            _ if !stopped && row.cpu != CpuId::BOOT => BUSY[..1].to_vec(),
            _ => vec!["#0 "],
        })
        .collect()
}

fn trace(core: &Core, elf: &Elf) -> Result<Vec<String>> {
    let at = elf.rust_symbol("kernel::trace::TRACE").context("no trace")?;
    let area = core.read(at, layout::AREA_LEN)?;
    let trace = trace::decode(&area)?;
    let rings = core.read(trace.rings, trace.rings_len())?;
    let rings = rings.chunks_exact(layout::RING_LEN).zip(0_u32..);
    let others = rings.flat_map(|(ring, cpu)| trace::ring(ring).map(move |entry| (cpu, entry)));
    let mut events: Vec<_> = trace.first().map(|entry| (0, entry)).chain(others).collect();
    events.sort_by_key(|(_, entry)| entry.cycles);
    Ok(events
        .iter()
        .map(|(cpu, entry)| {
            let ns = trace.clock.ns(entry.cycles).unwrap_or(0);
            let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
            format!("[{seconds:>5}.{rest:09}] CPU {cpu:<3} {}", entry.event)
        })
        .collect())
}

/// The messages on a console without their times: those that the kernel could not tell yet read otherwise in the ring.
pub fn log(console: &str) -> Vec<String> {
    let stamped = console.lines().filter(|line| line.starts_with("[ "));
    let texts = stamped.filter_map(|line| line.split_once("] "));
    // Longer ones are cut; addresses have names on the console.
    texts
        .map(|(_, text)| text.to_owned())
        .filter(|text| text.len() < 100 && !text.contains("pc="))
        .collect()
}
