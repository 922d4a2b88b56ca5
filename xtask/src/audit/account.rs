//! The report beside the machine, CPU by CPU.

use std::fmt;

use serde::Serialize;
use smp_stop::report::Row;
use smp_stop::{Report, Why};

use super::machine::{Places, Seen, Shows, Vcpu};
use super::report::Says;
use super::survive::Overwritten;
use crate::vm::record::Record;

/// The machine at one moment: each CPU, and the bytes of the report.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    pub cpus: &'a [Seen],
    pub report: Report<'a>,
}

/// One CPU of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The kernel's number for it; `None` if it has none.
    pub cpu: Option<u32>,
    /// QEMU's.
    pub vcpu: u32,
    pub says: Says,
    pub shows: Shows,
    pub pc: u64,
    /// From the beginning of the stop to its answer, where it gave one.
    pub answered_ns: Option<u64>,
    /// Whether any register, or what the report says of it, changed between the two looks.
    pub moved: bool,
    /// Whether what the report says can be what the machine shows.
    pub agrees: bool,
}

/// Report against machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    pub lines: Vec<Line>,
    /// What else does not fit together.
    pub findings: Vec<String>,
    /// Where memory was overwritten.
    pub overwritten: Option<Overwritten>,
}

impl Audit {
    /// Compares two moments of one machine, `first` and `second`, with each other and with what the report says.
    pub fn of(roster: &[Vcpu], places: &Places, first: Sample<'_>, second: Sample<'_>) -> Self {
        let rows: [Vec<Row>; 2] = [first, second].map(|sample| sample.report.rows().collect());
        let lines = roster
            .iter()
            .zip(first.cpus.iter().zip(second.cpus))
            .map(|(vcpu, seen)| line(vcpu, places, seen, [0, 1].map(|n| row_of(&rows[n], vcpu.hw_id))));
        let mut audit = Self {
            lines: lines.collect(),
            ..Self::default()
        };
        audit.look_for_ghosts(second.report);
        if second.report.summary().verdict.is_none() {
            audit.findings.push("the stop is not over".into());
        }
        audit
    }

    /// CPUs that the report knows, and the machine does not have.
    fn look_for_ghosts(&mut self, report: Report<'_>) {
        let known = |cpu: u32| self.lines.iter().any(|line| line.cpu == Some(cpu));
        let ghosts: Vec<String> = report
            .rows()
            .filter(|row| Says::of(row) != Says::NeverOn && !known(row.cpu.as_u32()))
            .map(|row| format!("CPU {} is in the report and not in the machine", row.cpu))
            .collect();
        self.findings.extend(ghosts);
    }

    /// Holds the `@stop` line of the console against the report.
    pub fn compare(&mut self, stop: Option<&Record>, report: Report<'_>) {
        let Some(stop) = stop else {
            self.findings.push("the console has no @stop line".into());
            return;
        };
        let summary = report.summary();
        let owner = summary.hold.map(|hold| hold.owner.to_string());
        let told = [
            ("state", summary.verdict.map(|verdict| verdict.name().to_owned())),
            ("owner", owner),
            ("silent", Some(report.silent().to_string())),
        ];
        for (key, in_memory) in told {
            let on_console = stop.get(key);
            if on_console != in_memory.as_deref() {
                let show = |text: Option<&str>| text.map_or("nothing".to_owned(), |text| format!("{text:?}"));
                let (console, memory) = (show(on_console), show(in_memory.as_deref()));
                self.findings.push(format!(
                    "{key} is {console} on the console and {memory} in memory"
                ));
            }
        }
    }

    /// Whether the report is what the machine shows.
    pub fn agrees(&self) -> bool {
        self.findings.is_empty() && self.lines.iter().all(|line| line.agrees)
    }

    /// The CPUs about which the report is wrong, by the kernel's number where there is one.
    pub fn wrong(&self) -> Vec<u32> {
        let wrong = self.lines.iter().filter(|line| !line.agrees);
        wrong.map(|line| line.cpu.unwrap_or(line.vcpu)).collect()
    }

    /// The CPUs that stand still in the park page, or are off, whatever the report says, by the kernel's number.
    pub fn parked(&self) -> impl Iterator<Item = u32> {
        let parked = self
            .lines
            .iter()
            .filter(|line| matches!(line.shows, Shows::Parked | Shows::Off));
        parked.filter_map(|line| line.cpu)
    }

    /// In a sentence.
    pub fn summary(&self) -> String {
        let count = self.lines.len();
        if self.agrees() {
            let named = self.lines.iter().filter(|line| line.is_named()).count();
            let still = count - named;
            return match named {
                0 => format!("all {count} CPUs stand as reported"),
                _ => format!("{still} of {count} CPUs stand as reported, {named} named in the report"),
            };
        }
        let wrong = self.lines.iter().filter(|line| !line.agrees);
        let mut parts: Vec<String> = wrong.take(4).map(Line::contradiction).collect();
        parts.extend(self.findings.iter().take(4).cloned());
        parts.join("; ")
    }
}

/// What is said and seen of one CPU, each at two moments.
fn line(vcpu: &Vcpu, places: &Places, seen: (&Seen, &Seen), [before, after]: [Option<&Row>; 2]) -> Line {
    let says = after.map_or(Says::Nothing, Says::of);
    let shows = places.judge(seen.1);
    let moved = seen.0 != seen.1 || before != after;
    Line {
        cpu: after.map(|row| row.cpu.as_u32()),
        vcpu: vcpu.index,
        says,
        shows,
        pc: seen.1.pc,
        answered_ns: after.and_then(|row| row.answered_ns),
        moved,
        agrees: agrees(says, shows, moved),
    }
}

/// The row of the CPU with this hardware id. Rows of CPUs that the kernel does not know have id 0, as may the boot CPU,
/// whose row is the first.
fn row_of(rows: &[Row], hw_id: u64) -> Option<&Row> {
    rows.iter().find(|row| row.hw_id == hw_id)
}

/// Whether a CPU of which the report says this may look so.
pub fn agrees(says: Says, shows: Shows, moved: bool) -> bool {
    match says {
        // It has said its last word: it stands still like the others, or the audit came too early.
        Says::Owner => shows.stands_still() && !moved,
        Says::Parked => matches!(shows, Shows::Parked | Shows::Off) && !moved,
        Says::Off => matches!(shows, Shows::Parked | Shows::Off) && !moved,
        Says::NeverOn | Says::Nothing => shows != Shows::Runs && !moved,
        // These park, or go off, if they come at all: nothing is said about when.
        Says::Silent(
            Why::StartingLost
            | Why::Lost
            | Why::OfflineLost
            | Why::StillOn
            | Why::HardwareDeaf
            | Why::Unasked,
        ) => true,
        // A CPU that stands in the park page has answered, whatever the report says.
        Says::Silent(_) => !matches!(shows, Shows::Parked | Shows::Off),
        Says::Unaccounted(_) => false,
    }
}

impl Line {
    const fn is_named(&self) -> bool {
        matches!(self.says, Says::Silent(_))
    }

    fn contradiction(&self) -> String {
        let name = match self.cpu {
            Some(cpu) => format!("CPU {cpu}"),
            None => format!("QEMU's CPU {}", self.vcpu),
        };
        let moved = if self.moved { ", moving" } else { "" };
        format!(
            "{name}: the report says {}, the machine shows it {}{moved}",
            self.says,
            self.shows.describe()
        )
    }
}

impl fmt::Display for Audit {
    /// A table: CPU, what the report says, what the machine shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>5}  {:<24} {:<40} {:>18}",
            "cpu", "the report says", "the machine shows", "pc"
        )?;
        for line in &self.lines {
            let cpu = line
                .cpu
                .map_or_else(|| format!("({})", line.vcpu), |cpu| cpu.to_string());
            let shows = format!(
                "{}{}",
                line.shows.describe(),
                if line.moved { ", moving" } else { "" }
            );
            let mark = if line.agrees { "" } else { "  <- not so" };
            write!(
                f,
                "\n{cpu:>5}  {:<24} {shows:<40} {:>#18x}{mark}",
                line.says.to_string(),
                line.pc
            )?;
        }
        if let Some(overwritten) = &self.overwritten {
            write!(f, "\n{overwritten}")?;
        }
        self.findings
            .iter()
            .try_for_each(|finding| write!(f, "\n{finding}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parked_cpu_stands_in_the_park_page_or_is_off() {
        for shows in [Shows::Runs, Shows::Halted, Shows::Idle] {
            assert!(!agrees(Says::Parked, shows, false), "{shows:?}");
        }
        for shows in [Shows::Parked, Shows::Off] {
            assert!(agrees(Says::Parked, shows, false), "{shows:?}");
            assert!(!agrees(Says::Parked, shows, true), "{shows:?}, moving");
        }
    }

    #[test]
    fn a_named_cpu_does_not_stand_in_the_park_page() {
        assert!(agrees(Says::Silent(Why::IrqOff), Shows::Runs, true));
        assert!(agrees(Says::Silent(Why::NmiDeaf), Shows::Halted, false));
        assert!(!agrees(Says::Silent(Why::IrqOff), Shows::Parked, false));
        assert!(!agrees(Says::Silent(Why::Stuck), Shows::Off, false));
        assert!(agrees(Says::Silent(Why::StartingLost), Shows::Parked, false));
    }

    #[test]
    fn nobody_runs_of_whom_nothing_is_said() {
        for says in [Says::Nothing, Says::NeverOn, Says::Off, Says::Owner] {
            assert!(!agrees(says, Shows::Runs, false), "{says:?}");
            assert!(agrees(says, Shows::Off, false), "{says:?}");
        }
        for shows in [Shows::Parked, Shows::Off, Shows::Runs] {
            assert!(!agrees(Says::Unaccounted(None), shows, false), "{shows:?}");
        }
    }

    #[test]
    fn the_console_is_held_against_the_memory() {
        let area = smp_stop::StopArea::<2>::new();
        area.area().set_cpus(2);
        let mut audit = Audit::default();
        audit.compare(
            Record::parse("@stop state=stopped owner=0 silent=").as_ref(),
            Report::of(&area),
        );
        assert_eq!(
            audit.findings,
            [
                r#"state is "stopped" on the console and nothing in memory"#,
                r#"owner is "0" on the console and nothing in memory"#
            ]
        );
        audit.findings.clear();
        audit.compare(None, Report::of(&area));
        assert!(!audit.agrees());
    }
}
