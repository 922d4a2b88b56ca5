//! The family **tables**: machines whose tables have something odd in them. What that is and what is right comes from
//! `odd-tables`, by a seed; here stands which of it goes to a machine, and what must be on its console.

#[cfg(test)]
mod tests;

use std::ops::Range;

use odd_tables::{acpi, pvh, seed, tree};
use serde::Serialize;

use super::cells::Cell;
use crate::arch::Arch;
use crate::vm::Outcome;
use crate::vm::judge::End;
use crate::vm::record::{Record, last};
use crate::vm::spec::Boot;
use crate::vm::tables::Tables;

use What::{Madt, Map, Tree};

/// Which tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A MADT.
    Madt,
    /// A device tree.
    Tree,
    /// A memory map.
    Map,
}

/// An oddity on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Odd {
    /// As in the cell's name.
    pub name: &'static str,
    what: What,
    /// The kind's name in `odd-tables`.
    kind: &'static str,
    /// Words for the kernel.
    pub words: &'static str,
    /// How many CPUs an SMP build has online, where that is not the number listed.
    online: Option<usize>,
    /// What must be on the console, in one line, beside what `odd-tables` says.
    says: &'static [&'static str],
    /// Part of the reason of the panic in which it must end.
    panics: Option<&'static str>,
}

const fn odd(what: What, name: &'static str) -> Odd {
    let (_, kind) = name.split_at("tables-".len());
    Odd {
        name,
        what,
        kind,
        words: "",
        online: None,
        says: &[],
        panics: None,
    }
}

impl Odd {
    const fn words(self, words: &'static str) -> Self {
        Self { words, ..self }
    }

    const fn online(self, online: usize) -> Self {
        Self {
            online: Some(online),
            ..self
        }
    }

    const fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    const fn panics(self, why: &'static str) -> Self {
        Self {
            panics: Some(why),
            ..self
        }
    }

    /// How the run must end.
    pub const fn end(&self) -> End {
        match self.panics {
            Some(_) => End::Panic,
            None => End::Poweroff,
        }
    }

    /// The tables.
    pub fn tables(&self, append: &str) -> Option<Tables> {
        match self.what {
            Madt => acpi::odd(self.kind, seed()).map(|odd| Tables::Acpi(acpi::files(&odd))),
            Tree => tree::odd(self.kind, seed(), append).map(|odd| Tables::Tree(odd.blob)),
            Map => pvh::by_name(self.kind, seed()).map(Tables::Map),
        }
    }

    /// Whether it must be said that there may be CPUs which are not known.
    fn unknown(&self) -> bool {
        self.what == Madt && acpi::odd(self.kind, seed()).is_some_and(|odd| odd.unknown)
    }

    fn right(&self) -> Option<Right> {
        let (cpus, says, held) = match self.what {
            Madt => acpi::odd(self.kind, seed()).map(|odd| (odd.cpus.len(), odd.says, Vec::new())),
            Tree => tree::odd(self.kind, seed(), "").map(|odd| (odd.cpus.len(), Vec::new(), odd.held)),
            Map => pvh::by_name(self.kind, seed()).map(|odd| (4, Vec::new(), odd.held)),
        }?;
        // The boot CPU is there, listed or not.
        let cpus = self.online.unwrap_or(cpus.max(1));
        let says = says.into_iter().chain(self.says.iter().copied()).collect();
        Some(Right { cpus, says, held })
    }
}

/// What is right.
struct Right {
    /// CPUs online in an SMP build.
    cpus: usize,
    /// Sentences.
    says: Vec<&'static str>,
    /// Memory that is not to be given out.
    held: Vec<Range<u64>>,
}

/// Sizes: the SMP build, both, or the UP build.
const SMP: &[bool] = &[true];
const BOTH: &[bool] = &[false, true];
const UP: &[bool] = &[false];

/// The monitor's list of memory, too.
const MEM: &str = "run=mem;cpus;poweroff";
const BOOT: &str = "run=cpus;poweroff";
/// The console of the machine where the tables name none that can be used.
const EARLYCON: &str = "earlycon=pl011,0x9000000 run=cpus;poweroff";
const IN_RAM: &str = "which is RAM; they are not touched";
const GREW: &str = "the tables grew to";

/// What goes to which machines.
const ODD: &[(Odd, &[Arch], &[bool])] = &[
    (odd(Madt, "tables-no-length"), &[Arch::X86_64], BOTH),
    (odd(Madt, "tables-no-length-first"), X86, SMP),
    (odd(Madt, "tables-too-long"), &[Arch::I386], BOTH),
    (odd(Madt, "tables-last-cut-off"), &[Arch::X86_64], SMP),
    (odd(Madt, "tables-short-cpu"), X86, SMP),
    (odd(Madt, "tables-disabled"), &[Arch::X86_64], SMP),
    (odd(Madt, "tables-unknown-flags"), &[Arch::I386], SMP),
    (odd(Madt, "tables-again"), &[Arch::X86_64], BOTH),
    (odd(Madt, "tables-id-of-all"), X86, SMP),
    (odd(Madt, "tables-no-fields"), &[Arch::X86_64], SMP),
    (odd(Madt, "tables-no-madt"), &[Arch::I386], UP),
    (odd(Madt, "tables-io-apic-in-ram").says(&[IN_RAM]), X86, SMP),
    (odd(Map, "tables-claims-300").words(MEM).says(&[GREW]), X86, BOTH),
    (odd(Map, "tables-claims-3000").words(MEM).says(&[GREW]), X86, SMP),
    (
        odd(Map, "tables-absurd-count").panics("start_info is damaged"),
        &[Arch::X86_64],
        SMP,
    ),
    (
        odd(Tree, "tables-reservations-300").words(MEM).says(&[GREW]),
        ARM,
        BOTH,
    ),
    (
        odd(Tree, "tables-reserved-2x300").words(MEM).says(&[GREW]),
        ARM,
        SMP,
    ),
    (odd(Tree, "tables-reserved-no-end").words(MEM), ARM, SMP),
    (odd(Tree, "tables-memory-in-pieces").words(MEM), ARM, UP),
    (
        odd(Tree, "tables-frequency-0").says(&["counter at 62500 kHz"]),
        ARM,
        BOTH,
    ),
    (
        odd(Tree, "tables-frequency-low").says(&["counter at 62500 kHz"]),
        ARM,
        SMP,
    ),
    (odd(Tree, "tables-timer-shared"), ARM, SMP),
    (
        odd(Tree, "tables-cpu-id-no-mpidr").says(&["1 CPU nodes without a usable reg"]),
        ARM,
        SMP,
    ),
    (
        odd(Tree, "tables-cpu-disabled").says(&["0 CPU nodes without a usable reg, 1 disabled"]),
        ARM,
        SMP,
    ),
    (odd(Tree, "tables-boot-cpu-absent").online(4), ARM, BOTH),
    (
        odd(Tree, "tables-no-way-to-start")
            .online(3)
            .says(&["no way to start it"]),
        ARM,
        SMP,
    ),
    (
        odd(Tree, "tables-gic-is-another")
            .words("panic=0 run=poweroff")
            .panics("external abort"),
        ARM,
        BOTH,
    ),
    (
        odd(Tree, "tables-gic-in-ram")
            .says(&[IN_RAM])
            .panics("lie in RAM"),
        ARM,
        SMP,
    ),
    (
        odd(Tree, "tables-gicr-in-ram")
            .says(&[IN_RAM])
            .panics("lie in RAM"),
        ARM,
        UP,
    ),
    (
        odd(Tree, "tables-console-in-ram").words(EARLYCON).says(&[IN_RAM]),
        ARM,
        SMP,
    ),
    (odd(Tree, "tables-console-no-alias").words(EARLYCON), ARM, UP),
];

const X86: &[Arch] = &[Arch::X86_64, Arch::I386];
const ARM: &[Arch] = &[Arch::Aarch64];

/// Every oddity, the architecture, and whether an SMP build.
pub fn all() -> impl Iterator<Item = (Odd, Arch, bool)> {
    ODD.iter().flat_map(|(odd, archs, builds)| {
        let machines = archs
            .iter()
            .flat_map(|arch| builds.iter().map(|smp| (*arch, *smp)));
        machines.map(|(arch, smp)| {
            let words = if odd.words.is_empty() { BOOT } else { odd.words };
            (odd.words(words), arch, smp)
        })
    })
}

impl Odd {
    /// By which road, and on which machine.
    pub fn machine(&self, arch: Arch) -> (Boot, Option<&'static str>) {
        match self.what {
            Madt => (Boot::Pvh, Some("acpi=off")),
            Tree | Map => (Boot::of(arch)[0], None),
        }
    }
}

/// Checks a run.
///
/// # Errors
/// What was wrong, in a sentence, with the seed.
pub fn check(cell: &Cell, odd: &Odd, outcome: &Outcome) -> Result<(), String> {
    let Right { cpus, says, held } = odd.right().ok_or("odd-tables knows no such kind")?;
    let cpus = if cell.flavour.smp { cpus } else { 1 };
    let came_up = || {
        if cell.words.contains("run=mem") {
            kept(&held, &outcome.text)?;
        }
        ready(cpus, &outcome.records)
    };
    said(&says, &outcome.text)
        .and_then(|()| listed_whole(odd.unknown(), &outcome.records))
        .and_then(|()| match odd.panics {
            Some(why) => panicked(why, &outcome.records),
            None => came_up(),
        })
        .map_err(|wrong| format!("{wrong} (TABLES_SEED={:#x})", seed()))
}

/// Each sentence stands in one line, and in one only.
fn said(says: &[&str], text: &str) -> Result<(), String> {
    for says in says {
        match text.lines().filter(|line| line.contains(says)).count() {
            1 => {}
            times => return Err(format!("it is said {times} times: {says}")),
        }
    }
    Ok(())
}

/// A list of CPUs that is not whole is said to be, and no other is.
fn listed_whole(unknown: bool, records: &[Record]) -> Result<(), String> {
    let whole = last(records, "list").is_none_or(|list| list.get("whole") != Some("no"));
    match whole == unknown {
        true if unknown => Err("nothing says that CPUs are unknown".into()),
        true => Err("CPUs are said to be unknown, and are not".into()),
        false => Ok(()),
    }
}

fn ready(cpus: usize, records: &[Record]) -> Result<(), String> {
    let lines: Vec<&Record> = records.iter().filter(|record| record.kind == "ready").collect();
    let [ready] = lines[..] else {
        return Err(format!("{} readiness lines", lines.len()));
    };
    match ready.get("cpus") {
        Some(found) if found == format!("{cpus}/{cpus}") => Ok(()),
        found => Err(format!("{cpus} CPUs should be online: {found:?}")),
    }
}

/// One panic, for the right reason.
fn panicked(why: &str, records: &[Record]) -> Result<(), String> {
    match records.iter().filter(|record| record.kind == "panic").count() {
        1 => {}
        times => return Err(format!("{times} panics")),
    }
    match last(records, "panic").and_then(|panic| panic.get("why")) {
        Some(found) if found.contains(why) => Ok(()),
        found => Err(format!("another panic than {why}: {found:?}")),
    }
}

/// By the monitor's list none of `held` is RAM that is free.
fn kept(held: &[Range<u64>], text: &str) -> Result<(), String> {
    let list =
        |what: &str| -> Vec<Range<u64>> { text.lines().filter_map(|line| listed(what, line)).collect() };
    let (ram, reserved) = (list("ram"), list("reserved"));
    if ram.is_empty() {
        return Err("no memory is listed".into());
    }
    let within = |list: &[Range<u64>], at| list.iter().any(|range| range.contains(&at));
    for range in held {
        let mut pages = (range.start..range.end).step_by(0x1000);
        if let Some(at) = pages.find(|&at| within(&ram, at) && !within(&reserved, at)) {
            return Err(format!("{at:#x} is given out, and must not be"));
        }
    }
    Ok(())
}

/// `ram 0x1000-0x1fff`, with blanks before it.
fn listed(what: &str, line: &str) -> Option<Range<u64>> {
    let (name, range) = line.trim().split_once(' ')?;
    let (start, last) = range.strip_prefix("0x")?.split_once("-0x")?;
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    (name == what).then_some(number(start)?..number(last)? + 1)
}
