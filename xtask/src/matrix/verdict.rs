//! Whether a cell's run ended in the right way, and for the right reason.

#[cfg(test)]
mod tests;
mod words;

use super::cells::Cell;
use super::task::{Task, Way};
use super::{odd, places};
use crate::audit::Audit;
use crate::vm::Outcome;
use crate::vm::record::{Record, after_end, last, since_reset};
use crate::vm::run::TRIPLE_FAULT;
use crate::vm::spec::Boot;

/// Checks a run.
///
/// # Errors
/// What was wrong, in a sentence: the first thing found.
pub fn check(cell: &Cell, outcome: &Outcome) -> Result<(), String> {
    let expected = cell.end();
    if outcome.end != expected {
        let detail = if outcome.detail.is_empty() {
            String::new()
        } else {
            format!(" ({})", outcome.detail)
        };
        return Err(format!(
            "{}{detail}; expected: {}",
            outcome.end.describe(),
            expected.describe()
        ));
    }
    if outcome.death.is_some() != (expected == crate::vm::judge::End::EarlyDeath) {
        return Err("a death is explained that was none, or the other way round".into());
    }
    let records = since_reset(&outcome.records);
    if let Some(record) = after_end(records) {
        return Err(format!("@{} follows on @end", record.kind));
    }
    if let Some(odd) = &cell.odd {
        return odd::check(cell, odd, outcome).and_then(|()| stopped(records));
    }
    words::said(cell, outcome)?;
    if cell.task == Task::TooSmall {
        return panicked(cell.task, records);
    }
    match cell.task {
        Task::Refused(_) => words::refused(records)?,
        _ => readiness(cell, records)?,
    }
    places::check(cell, &outcome.text)?;
    match cell.task {
        Task::Hang => Ok(()),
        Task::TripleFault | Task::LostVectors => explained(cell, outcome),
        Task::Hotplug => hotplug(&outcome.records).and_then(|()| stopped(&outcome.records)),
        Task::OffPanic => off(&outcome.records).and_then(|()| audited_stop(cell.task, outcome)),
        Task::HotplugPanic | Task::Reach => audited_stop(cell.task, outcome),
        Task::Selftest => selftest(&outcome.records).and_then(|()| stopped(&outcome.records)),
        Task::Again(way) => again(way, &outcome.records).and_then(|()| stopped(records)),
        Task::Boot | Task::Reboot | Task::Halt => stopped(&outcome.records),
        Task::Audit | Task::Deaf => audited(outcome).and_then(|()| clue(cell.task, &outcome.records)),
        Task::Lie | Task::DeafLie => lie_found(outcome),
        // The rest are panics.
        task => panicked(task, &outcome.records),
    }
}

/// Every other gets as far as the monitor: a kernel that dies on the way there has not failed as it was told to.
fn readiness(cell: &Cell, records: &[Record]) -> Result<(), String> {
    let lines: Vec<&Record> = records.iter().filter(|record| record.kind == "ready").collect();
    let [ready] = lines[..] else {
        return Err(format!("{} readiness lines", lines.len()));
    };
    let cpus = format!("{0}/{0}", cell.online());
    let expected = [
        ("arch", cell.flavour.arch.name()),
        ("build", cell.flavour.build()),
        ("cpus", &cpus),
    ];
    for (key, expected) in expected {
        let found = ready.get(key).unwrap_or("nothing");
        if found != expected {
            return Err(format!("{key} is {found}, not {expected}"));
        }
    }
    memory(cell, ready)?;
    match last(records, "cpus").and_then(|cpus| cpus.get("missing")) {
        Some("") => Ok(()),
        Some(missing) => Err(format!("missing CPUs: {missing}")),
        None => Err("no @cpus line".into()),
    }
}

/// All RAM is found, what the kernel reaches of it is its own, and what is in use is little. Firmware keeps some.
fn memory(cell: &Cell, ready: &Record) -> Result<(), String> {
    let firmwares = if cell.boot == Boot::Efi { 64 << 10 } else { 1 << 10 };
    let most_used = (8 << 10) + 128 * u64::from(cell.cpus);
    let (all, left) = (cell.memory.mib << 10, cell.left_mib() << 10);
    for (key, least, most) in [
        ("mem_kib", all.saturating_sub(firmwares), all),
        ("mem_left_kib", left.saturating_sub(firmwares), left),
        ("mem_used_kib", 1, most_used),
    ] {
        match ready.number(key) {
            Some(kib) if (least..=most).contains(&kib) => {}
            Some(kib) => return Err(format!("{key} is {kib}, not {least} to {most}")),
            None => return Err(format!("the readiness line has no {key}")),
        }
    }
    Ok(())
}

/// The machine came up twice, and the second time it knew how it had been reset.
fn again(way: Way, records: &[Record]) -> Result<(), String> {
    let ready = records.iter().filter(|record| record.kind == "ready").count();
    if ready != 2 {
        return Err(format!("{ready} readiness lines of two boots"));
    }
    match last(since_reset(records), "boot").map(|boot| (boot.get("n"), boot.get("by"))) {
        Some((Some("2"), Some(by))) if by == way.name() => Ok(()),
        Some(other) => Err(format!(
            "not the second boot after a reset by {}: {other:?}",
            way.name()
        )),
        None => Err("the second boot does not know that it is one".into()),
    }
}

fn stopped(records: &[Record]) -> Result<(), String> {
    match last(records, "stop") {
        Some(stop) if stop.get("state") == Some("stopped") => Ok(()),
        Some(stop) => Err(format!(
            "the stop left CPUs running: {}",
            stop.get("silent").unwrap_or("unknown which")
        )),
        None => Err("no @stop line".into()),
    }
}

fn panicked(task: Task, records: &[Record]) -> Result<(), String> {
    clue(task, records).and_then(|()| stopped(records))
}

/// An audit that did not agree has ended the run in another way.
fn audited(outcome: &Outcome) -> Result<(), String> {
    outcome
        .audit
        .as_ref()
        .map(drop)
        .ok_or_else(|| "there was no audit".into())
}

/// A panic that stopped all CPUs, and the machine shows it.
fn audited_stop(task: Task, outcome: &Outcome) -> Result<(), String> {
    audited(outcome).and_then(|()| panicked(task, &outcome.records))
}

/// Every CPU came back as often as it went, and took no memory for it.
fn hotplug(records: &[Record]) -> Result<(), String> {
    let record = last(records, "hotplug").ok_or("no @hotplug line")?;
    let pair = |one, other| (record.number(one), record.number(other));
    match pair("off", "on") {
        (Some(off @ 1..), Some(on)) if off == on => {}
        (off, on) => return Err(format!("CPUs went off {off:?} times and came on {on:?} times")),
    }
    for (before, after) in [("pages_before", "pages_after"), ("heap_before", "heap_after")] {
        match pair(before, after) {
            (Some(old), Some(new)) if old == new => {}
            (old, new) => {
                return Err(format!(
                    "memory in use was {old:?} bytes and is {new:?} ({after})"
                ));
            }
        }
    }
    Ok(())
}

/// The CPU that was off when the kernel failed is listed as that.
fn off(records: &[Record]) -> Result<(), String> {
    match last(records, "stop").and_then(|stop| stop.get("off")) {
        Some("2") => Ok(()),
        other => Err(format!(
            "CPU 2 is off, and the stop says: {}",
            other.unwrap_or("nothing")
        )),
    }
}

/// The report was made to lie about one CPU.
fn lie_found(outcome: &Outcome) -> Result<(), String> {
    match outcome.audit.as_ref().map(Audit::wrong).as_deref() {
        Some([_]) => Ok(()),
        Some(wrong) => Err(format!("the audit doubts {} CPUs, not one", wrong.len())),
        None => Err(format!("there was no audit: {}", outcome.detail)),
    }
}

fn clue(task: Task, records: &[Record]) -> Result<(), String> {
    match last(records, "panic").and_then(|panic| panic.get("why")) {
        Some(why) if why.contains(task.clue()) => Ok(()),
        Some(other) => Err(format!("another panic than the one asked for: {other}")),
        None => Err("no @panic line".into()),
    }
}

fn selftest(records: &[Record]) -> Result<(), String> {
    let count = |key| last(records, "selftest").and_then(|selftest| selftest.number(key));
    match (count("passed"), count("failed")) {
        (Some(1..), Some(0)) => Ok(()),
        (Some(passed), Some(failed)) => Err(format!(
            "of the kernel's own tests {passed} passed, {failed} failed"
        )),
        _ => Err("no @selftest line".into()),
    }
}

/// x86 dies of a triple fault, and QEMU says so. aarch64 has none: it dies of a reset nobody announced, or takes exceptions
/// for ever. Whichever it is, the CPU is named, and the way to it by the kernel's functions.
fn explained(cell: &Cell, outcome: &Outcome) -> Result<(), String> {
    let death = outcome.death.as_ref().ok_or("nothing is said about the death")?;
    if death.summary.starts_with(TRIPLE_FAULT) != cell.flavour.arch.is_x86() {
        return Err(format!("not by a triple fault: {}", death.summary));
    }
    let has_way = death.lines.iter().any(|line| line.contains("kernel::monitor::"));
    match (death.cpu, has_way) {
        (Some(_), true) => Ok(()),
        (None, _) => Err(format!("no CPU is named: {}", death.summary)),
        (_, false) => Err("the backtrace does not lead to the monitor".into()),
    }
}
