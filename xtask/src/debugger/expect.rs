//! What gdb has to answer about a kernel, from what the machine's memory and its console say: read by the crates that the
//! kernel itself writes it with.

use std::collections::HashMap;

use anyhow::{Context, Result};
use smp_stop::report::{RungKind, Via, layout as stop_layout};
use smp_stop::{CpuId, Report};
use trace::layout;

use crate::guest::core::Core;
use crate::kernel::elf::Elf;

/// Asked in every session. What is wrong in these gets a line of explanation, never a traceback of the script.
pub const BLUNDERS: [(&str, &str); 9] = [
    ("ss percpu", "usage: ss percpu VAR CPU"),
    (
        "ss percpu kernel::cpu::CPU_NUMBER 4000",
        "not CPU 4000|CPU 4000 has no area",
    ),
    ("ss percpu kernel::cpu::CPU_NUMBER -1", "-1 is no number of a CPU"),
    ("ss percpu no::such 0", "no variable is called no::such"),
    ("ss percpu ] 0", "no variable is called ]"),
    (
        "ss percpu kernel::stop::STOP 0",
        "kernel::stop::STOP is one for all CPUs",
    ),
    ("ss trace 4000", "there is no CPU 4000"),
    ("ss cpus now", "usage: ss cpus"),
    ("ss nonsense", "Undefined ss command"),
];

/// Asks for a `&str` by way of Rust's printers.
const PRETTY: &str = "print *kernel::phase::PHASE[0].p.value";
const QUESTIONS: [&str; 7] = [
    PRETTY,
    "info threads",
    "thread apply all bt",
    "ss cpus",
    "ss stop-report",
    "ss trace",
    "ss log",
];

/// gdb's answers, by question.
#[derive(Debug, Default)]
pub struct Answers(HashMap<String, String>);

/// What to tell gdb, so that its answers can be told apart.
pub fn script(cpus: u32) -> Vec<String> {
    let blunders = BLUNDERS.iter().map(|(question, _)| (*question).to_owned());
    let questions = QUESTIONS.into_iter().map(str::to_owned);
    let all = questions.chain((0..cpus).map(percpu)).chain(blunders);
    all.flat_map(|question| [format!("echo \\n== {question}\\n"), question])
        .collect()
}

fn percpu(cpu: u32) -> String {
    format!("ss percpu kernel::cpu::CPU_NUMBER {cpu}")
}

impl Answers {
    /// Takes gdb's output apart.
    pub fn of(output: &str) -> Self {
        let parts = output.split("\n== ").skip(1);
        Self(
            parts
                .filter_map(|part| part.split_once('\n'))
                .map(|(question, answer)| (question.to_owned(), answer.to_owned()))
                .collect(),
        )
    }

    fn get(&self, question: &str) -> &str {
        self.0.get(question).map_or("", String::as_str)
    }
}

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
        let at = elf.rust_symbol("kernel::stop::STOP").context("no stop report")?;
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
        let all = answers.0.iter();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths;

    fn facts() -> Facts {
        let report = [
            "stop: panic by CPU 0: stopped after 1.000 us",
            "  cpu  hardware id state",
            "    0          0x0 owner          owner                  - -             0x10",
            "    1          0x1 parked         interrupt          1.000 -             0x20",
        ];
        Facts {
            cpus: 2,
            report: report.map(str::to_owned).to_vec(),
            trace: vec!["[    0.000000001] CPU 0   online".into()],
            log: vec!["memory: much".into()],
            functions: vec![vec!["kernel::panic::panic"], vec!["busy"]],
            phase: "panicking",
        }
    }

    fn output() -> String {
        let blunders = BLUNDERS
            .map(|(question, said)| format!("\n== {question}\n{}\n", said.split('|').next().unwrap()));
        let asked = "
== info threads
  Id   Target Id   Frame
* 1    LWP 1       f () at a.rs:1
  2    LWP 2       g () at a.rs:2

== thread apply all bt

Thread 2 (LWP 2):
#0  busy ()

Thread 1 (LWP 1):
#0  kernel::panic::panic ()

== print *kernel::phase::PHASE[0].p.value
$1 = \"panicking\"

== ss cpus
    0          0x0  online          panicking; pc=0x10 f
    1          0x1  parked          running threads; pc=0x20 g

== ss stop-report
stop: panic by CPU 0: stopped after 1.000 us
  cpu  hardware id state
    0          0x0 owner          owner                  - -             0x10 f
    1          0x1 parked         interrupt          1.000 -             0x20 g

== ss trace
[    0.000000001] CPU 0   online
1 events shown

== ss log
[    0.1] memory: much

== ss percpu kernel::cpu::CPU_NUMBER 0
CPU_NUMBER of CPU 0 at 0x1: 0

== ss percpu kernel::cpu::CPU_NUMBER 1
CPU_NUMBER of CPU 1 at 0x2: 1
";
        asked.to_owned() + &blunders.concat()
    }

    #[test]
    fn answers_that_are_right_pass() {
        let wrong = facts().judge(&Answers::of(&output()));
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn each_answer_that_is_wrong_is_noticed() {
        for (right, wrong) in [
            ("  2    LWP 2       g () at a.rs:2\n", ""),
            ("busy ()", "idle ()"),
            ("$1 = \"panicking\"", "$1 = &str {data_ptr: 0x10, length: 9}"),
            ("Thread 2 (LWP 2)", "Thread 3 (LWP 3)"),
            ("  parked          running", "  online          running"),
            ("; pc=0x20", "; no registers"),
            ("interrupt          1.000 ", "interrupt          2.000 "),
            ("CPU 0   online", "CPU 1   online"),
            ("memory: much", "memory: little"),
            ("at 0x2: 1", "at 0x2: 0"),
            (
                "no variable is called no::such",
                "Traceback (most recent call last)",
            ),
            ("usage: ss cpus", "  cpu"),
            ("1 events shown", "Python Exception"),
        ] {
            let text = output().replace(right, wrong);
            assert_ne!(text, output(), "{right}");
            assert!(
                !facts().judge(&Answers::of(&text)).is_empty(),
                "{right:?} as {wrong:?}"
            );
        }
        assert!(!facts().judge(&Answers::default()).is_empty());
    }

    /// The script has the names of all that a kernel may write down.
    #[test]
    fn the_script_knows_every_name() {
        let read = |name: &str| {
            std::fs::read_to_string(paths::root().join("xtask/gdb/standstill").join(name)).unwrap()
        };
        let (report, events) = (read("report.py"), read("trace.py"));
        let ways = (0..=0x20).filter_map(|code| Some((code, Via::from_code(code)?.name())));
        for (code, name) in ways {
            let known = [format!("{code}: \"{name}\""), format!("{code:#x}: \"{name}\"")];
            assert!(known.iter().any(|known| report.contains(known)), "{name}");
        }
        let in_order = |text: &str, names: &[&str]| {
            let list = names
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(",");
            let squeezed: String = text.split_whitespace().collect();
            let list: String = list.split_whitespace().collect();
            assert!(squeezed.contains(&list), "{list}");
        };
        let whys = (1..).map_while(smp_stop::Why::from_code).map(smp_stop::Why::name);
        in_order(&report, &whys.collect::<Vec<_>>());
        let states = (0..)
            .map_while(smp_stop::CpuState::from_code)
            .map(smp_stop::CpuState::name);
        in_order(&report, &states.collect::<Vec<_>>());
        let phases = trace::Phase::ALL.iter().map(|phase| phase.name());
        in_order(&events, &phases.collect::<Vec<_>>());
        let kinds = (1..=u8::MAX).filter(|kind| {
            let raw = trace::Raw {
                kind: *kind,
                small: 0,
                large: 0,
            };
            trace::Event::unpack(raw).is_some()
        });
        for kind in kinds {
            assert!(events.contains(&format!("\n    {kind}: lambda")), "event {kind}");
        }
    }
}
