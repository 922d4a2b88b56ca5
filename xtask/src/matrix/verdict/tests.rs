//! Runs that ended wrongly: each must be found out.

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
