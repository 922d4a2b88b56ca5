//! Whether a cell's run ended in the right way, and for the right reason.

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::matrix::cells;
    use crate::vm::judge::End;

    const READY: &str =
        "@ready arch=x86_64 build=smp cpus=4/4 ns=1 mem_kib=261759 mem_used_kib=1200 mem_left_kib=0";
    const CPUS: &str = "@cpus expected=0-3 online=0-3 missing=";
    const STOP: &str = "@stop state=stopped owner=0 stopped=1-3 silent=";

    pub(super) fn verdict(name: &str, end: End, lines: &[&str]) -> Result<(), String> {
        let cell = cells::all(false)
            .into_iter()
            .find(|cell| cell.name() == name)
            .unwrap();
        let records = lines.iter().filter_map(|line| Record::parse(line)).collect();
        let outcome = Outcome {
            end,
            detail: String::new(),
            records,
            text: lines.join("\n"),
            wall: Duration::ZERO,
            ready: None,
            audit: None,
            has_core: false,
            counts: None,
            places: Vec::new(),
            death: None,
            story: None,
        };
        check(&cell, &outcome)
    }

    fn boot(lines: &[&str]) -> Result<(), String> {
        verdict("x86_64/q35/smp-4", End::Poweroff, lines)
    }

    #[test]
    fn a_good_boot_is_good() {
        assert_eq!(boot(&[CPUS, READY, STOP, "@end how=poweroff"]), Ok(()));
        assert_eq!(
            verdict("x86_64/q35/smp-4/hang", End::Timeout, &[CPUS, READY]),
            Ok(())
        );
    }

    #[test]
    fn a_selftest_counts() {
        let verdict = |line| {
            verdict(
                "x86_64/q35/smp-4/selftest",
                End::Poweroff,
                &[CPUS, READY, line, STOP],
            )
        };
        assert_eq!(verdict("@selftest passed=8 failed=0"), Ok(()));
        for line in [
            "@selftest passed=7 failed=1",
            "@selftest passed=0 failed=0",
            "@selftest",
            "",
        ] {
            assert!(verdict(line).is_err(), "{line}");
        }
    }

    #[test]
    fn hotplug_must_have_happened_and_leak_nothing() {
        let verdict = |line: &str| {
            verdict(
                "x86_64/q35/smp-4/hotplug",
                End::Poweroff,
                &[CPUS, READY, line, STOP],
            )
        };
        let memory = "pages_before=8192 pages_after=8192 heap_before=64";
        assert_eq!(
            verdict(&format!("@hotplug off=60 on=60 {memory} heap_after=64")),
            Ok(())
        );
        for line in [
            format!("@hotplug off=60 on=59 {memory} heap_after=64"),
            format!("@hotplug off=0 on=0 {memory} heap_after=64"),
            format!("@hotplug off=60 on=60 {memory} heap_after=65"),
            "@hotplug off=60 on=60 pages_before=8192 pages_after=12288 heap_before=64 heap_after=64".into(),
            format!("@hotplug off=60 on=60 {memory}"),
            String::new(),
        ] {
            assert!(verdict(&line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_cpu_that_is_off_is_said_to_be() {
        let off = |line| off(&[Record::parse(line).unwrap()]);
        assert_eq!(
            off("@stop state=stopped owner=0 stopped=1,3 off=2 silent="),
            Ok(())
        );
        for line in [
            STOP,
            "@stop state=stopped stopped=1-3 off= silent=",
            "@stop state=stopped stopped=1 off=2-3 silent=",
        ] {
            assert!(off(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_machine_comes_up_again_in_the_way_that_was_asked_for() {
        let verdict = |second: &[&str]| {
            let first = [CPUS, READY, STOP, "@end how=reboot", "@reset"];
            let lines: Vec<&str> = first.iter().chain(second).copied().collect();
            verdict("x86_64/q35/smp-4/again-kbd", End::Poweroff, &lines)
        };
        let boot = "@boot n=2 by=kbd";
        assert_eq!(verdict(&[boot, CPUS, READY, STOP]), Ok(()));
        assert!(verdict(&[CPUS, READY, STOP]).is_err());
        assert!(verdict(&["@boot n=2 by=acpi", CPUS, READY, STOP]).is_err());
        assert!(verdict(&["@boot n=3 by=kbd", CPUS, READY, STOP]).is_err());
        assert!(verdict(&[boot, CPUS, STOP]).is_err());
        assert!(verdict(&[boot, CPUS, READY]).is_err());
    }

    #[test]
    fn a_panic_has_its_own_reason() {
        let verdict = |why| verdict("x86_64/q35/smp-4/overflow", End::Panic, &[CPUS, READY, why, STOP]);
        assert_eq!(verdict(r#"@panic cpu=0 why="stack overflow: thread 3""#), Ok(()));
        assert!(verdict(r#"@panic cpu=0 why="page fault at pc=0x1""#).is_err());
        assert!(verdict("").is_err());
    }

    #[test]
    fn an_audit_takes_place_or_the_cell_is_red() {
        let why = r#"@panic cpu=0 why="asked for by the monitor""#;
        for (name, end) in [
            ("x86_64/q35/smp-4/audit", End::Panic),
            ("x86_64/q35/smp-4/lie", End::Contradiction),
            ("aarch64/gicv2/smp-4/deaf", End::PanicPartial),
        ] {
            let ready = READY.replace("x86_64", name.split('/').next().unwrap());
            let error = verdict(name, end, &[CPUS, &ready, why, STOP]).unwrap_err();
            assert!(error.contains("no audit"), "{name}: {error}");
        }
    }

    #[test]
    fn a_good_end_for_a_wrong_reason_is_wrong() {
        let ready = |line: &'static str| boot(&[CPUS, line, STOP]).unwrap_err();
        assert!(ready("@ready arch=x86_64 build=smp cpus=3/4").contains("3/4"));
        assert!(ready("@ready arch=x86_64 build=up cpus=4/4").contains("build"));
        assert!(ready("@ready arch=i386 build=smp cpus=4/4").contains("arch"));
        assert!(ready("@ready arch=x86_64").contains("nothing"));
        assert!(boot(&[CPUS, STOP]).is_err());
        assert!(boot(&[CPUS, READY, READY, STOP]).is_err());
        assert!(boot(&[READY, STOP]).is_err());
        assert!(boot(&["@cpus missing=3", READY, STOP]).unwrap_err().contains('3'));
        assert!(boot(&[CPUS, READY]).is_err());
        assert!(
            boot(&[CPUS, READY, "@stop state=partial silent=2"])
                .unwrap_err()
                .contains('2')
        );
    }

    #[test]
    fn memory_is_all_there_and_what_is_out_of_reach_is_left_alone() {
        let verdict = |name: &str, memory: &str| {
            let arch = name.split('/').next().unwrap();
            let ready = format!("@ready arch={arch} build=smp cpus=4/4 ns=1 {memory}");
            verdict(name, End::Poweroff, &["@cpus missing=", &ready, STOP])
        };
        let big = "i386/memory-6G/smp-4";
        let good = "mem_kib=6291071 mem_used_kib=1123 mem_left_kib=5505024";
        assert_eq!(verdict(big, good), Ok(()));
        for (bad, why) in [
            (
                "mem_kib=6290000 mem_used_kib=1123 mem_left_kib=5505024",
                "mem_kib is 6290000",
            ),
            (
                "mem_kib=6291457 mem_used_kib=1123 mem_left_kib=5505024",
                "mem_kib",
            ),
            (
                "mem_kib=6291071 mem_used_kib=1123 mem_left_kib=0",
                "mem_left_kib is 0",
            ),
            (
                "mem_kib=6291071 mem_used_kib=0 mem_left_kib=5505024",
                "mem_used_kib is 0",
            ),
            (
                "mem_kib=6291071 mem_used_kib=786048 mem_left_kib=5505024",
                "mem_used_kib",
            ),
            ("", "has no mem_kib"),
        ] {
            let found = verdict(big, bad).unwrap_err();
            assert!(found.contains(why), "{bad}: {found}");
        }
        let wide = "x86_64/memory-2G/smp-4";
        assert_eq!(
            verdict(wide, "mem_kib=2096767 mem_used_kib=1200 mem_left_kib=0"),
            Ok(())
        );
        assert!(verdict(wide, "mem_kib=2096767 mem_used_kib=1200 mem_left_kib=1310720").is_err());
    }

    #[test]
    fn a_machine_that_is_too_small_says_why() {
        let name = "i386/memory-5M/smp-4/too-small";
        let verdict = |why: &str| verdict(name, End::Panic, &[why, STOP]);
        let right = r#"@panic why="the kernel's image, 0x1-0x2, lies outside of RAM: the map""#;
        assert_eq!(verdict(right), Ok(()));
        assert!(verdict(r#"@panic why="too little memory""#).is_err());
    }

    #[test]
    fn each_control_turns_red_when_it_ends_as_another() {
        for (task, own) in [
            ("", End::Poweroff),
            ("/panic", End::Panic),
            ("/hang", End::Timeout),
            ("/triple-fault", End::EarlyDeath),
        ] {
            for end in [
                End::Poweroff,
                End::Panic,
                End::PanicPartial,
                End::Timeout,
                End::EarlyDeath,
                End::Reboot,
                End::QemuDied,
            ] {
                let lines = [
                    CPUS,
                    READY,
                    r#"@panic cpu=0 why="asked for by the monitor""#,
                    STOP,
                ];
                let verdict = verdict(&format!("x86_64/q35/smp-4{task}"), end, &lines);
                // Without an explanation not even an early death is believed.
                assert_eq!(
                    verdict.is_ok(),
                    end == own && end != End::EarlyDeath,
                    "{task} {end:?}: {verdict:?}"
                );
            }
        }
    }
}
