//! Right answers pass, and wrong ones do not.

use super::*;
use crate::paths;

fn facts() -> Facts {
    let report = [
        "stop: panic by CPU 0: stopped after 1.000 us",
        "  cpu  hardware id state",
        "    0          0x0 owner          owner                  - -             0x10",
        "    1          0x1 parked         interrupt          1.000 -             0x20",
        "CPU 0 said: out of cheese",
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
    let blunders =
        BLUNDERS.map(|(question, said)| format!("\n== {question}\n{}\n", said.split('|').next().unwrap()));
    let asked = "
== info threads
  Id   Target Id   Frame
* 1    LWP 1       f () at a.rs:1
  2    LWP 2       g () at a.rs:2

== thread apply all bt

Thread 2 (LWP 2):
#0  busy (item=<error: Cannot access memory at address 0x10>)
#1  start ()

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
CPU 0 said: out of cheese

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
        ("busy (", "idle ("),
        (
            "#1  start ()\n",
            "#1  start ()\nBacktrace stopped: Cannot access memory at address 0x20\n",
        ),
        (
            "#1  start ()\n",
            "#1  start ()\nBacktrace stopped: previous frame identical to this frame (corrupt stack?)\n",
        ),
        ("#1  start ()\n", "#1  0x00000000 in ?? ()\n"),
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
    let read =
        |name: &str| std::fs::read_to_string(paths::root().join("xtask/gdb/standstill").join(name)).unwrap();
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
    let sizes = format!(
        "HEADER, SLOT = {}, {}\n",
        stop_layout::HEADER_LEN,
        stop_layout::SLOT_LEN
    );
    assert!(report.contains(&sizes), "{sizes}");
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
