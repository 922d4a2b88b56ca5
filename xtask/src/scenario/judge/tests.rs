//! Transcripts that lie: each must be found out, and for the right reason.

use std::time::Duration;

use super::*;
use crate::scenario::expect::panic;
use crate::vm::judge::End;

/// CPU 1 of two panics on its way up.
const TRUE: &str = "\
[    0.100000] clock: counter at 2595808 kHz
@panic cpu=1 reason=panic why=\"injected at Entry\"
kernel panic at 0.166793 s: injected at Entry
  in thread 2 (idle)
backtrace:
  #0 0xffffffff800129c9
stop: panic by CPU 1: stopped after 8497.891 us
  cpu  hardware id state          stopped by      after us why           pc                
    0          0x0 parked         interrupt       3045.440 -             0xffffffff80013a50
    1          0x1 owner          owner                  - -             0xffffffff8000ff10
@cpu n=0 state=parked via=\"interrupt\" why=- regs=1
@cpu n=1 state=owner via=\"owner\" why=- regs=1
backtrace of CPU 0:
  #0 0xffffffff80013a50
@stop state=stopped reason=panic owner=1 stopped=0 off= silent= took_ns=8497891
@end how=panic
@way name=acpi
";

fn expected() -> Expect {
    panic()
        .early()
        .owner(vec![1])
        .clue("injected at")
        .cpu(0, parked().via(&["interrupt"]))
        .never("Type help")
        .took_ms(0, 1_000)
}

fn verdict(text: &str, end: End) -> Result<(), String> {
    let outcome = Outcome {
        end,
        detail: String::new(),
        records: text.lines().filter_map(Record::parse).collect(),
        text: text.to_owned(),
        wall: Duration::ZERO,
        ready: None,
        audit: None,
        has_core: false,
        counts: None,
        places: Vec::new(),
        death: None,
        story: None,
    };
    check(&expected(), 2, &outcome)
}

/// The transcript with `from` made `to` must be found out, with `clue` in the reason.
fn lie(from: &str, to: &str, clue: &str) {
    assert!(TRUE.contains(from), "{from}");
    let wrong = verdict(&TRUE.replace(from, to), End::Panic).expect_err(to);
    assert!(wrong.contains(clue), "{to}: {wrong}");
}

const ROW_0: &str = "@cpu n=0 state=parked via=\"interrupt\" why=- regs=1\n";

#[test]
fn the_truth_passes() {
    assert_eq!(verdict(TRUE, End::Panic), Ok(()));
    let audited = format!("{TRUE}\nxtask: the audit: all 2 CPUs stand as reported\n  cpu\n");
    assert_eq!(verdict(&audited, End::Panic), Ok(()));
}

#[test]
fn a_kernel_that_counts_is_found_out() {
    let rows = format!("{ROW_0}@cpu n=1 state=owner via=\"owner\" why=- regs=1\n");
    assert!(verdict(&TRUE.replace(&rows, ""), End::Panic).is_err());
    // The same with a better liar: it only leaves out the CPU that it did not ask.
    lie(ROW_0, "", "CPU 0 is not accounted for");
}

#[test]
fn a_cpu_that_runs_on_is_found_out() {
    lie(
        "n=0 state=parked",
        "n=0 state=online",
        "CPU 0 is online, and nothing says why",
    );
    lie(
        "via=\"interrupt\" why=-",
        "via=\"interrupt\" why=IRQ_OFF",
        "IRQ_OFF",
    );
    lie("why=- regs=1\n@cpu n=1", "why=- regs=0\n@cpu n=1", "registers");
    lie("via=\"interrupt\"", "via=\"gate\"", "gate");
    lie(ROW_0, &format!("{ROW_0}{ROW_0}"), "2 lines");
}

#[test]
fn another_stop_is_found_out() {
    lie("reason=panic owner", "reason=crash owner", "crash");
    lie("n=1 state=owner", "n=1 state=parked", "owned by");
    lie("injected at Entry\"", "page fault\"", "page fault");
    lie("stopped=0 ", "stopped= ", "disagree about CPU 0");
    lie("silent= ", "silent=0 ", "disagree about CPU 0");
    lie("took_ns=8497891", "took_ns=8497891000", "took 8497 ms");
    lie(
        "@stop state=stopped reason",
        "stop state=stopped reason",
        "no @stop",
    );
    assert!(verdict(TRUE, End::PanicPartial).is_err());
    assert!(verdict(TRUE, End::EarlyDeath).is_err());
    lie(
        "[    0.100000] clock",
        "@ready cpus=1/2\n[    0.1] clock",
        "monitor",
    );
}

#[test]
fn a_second_voice_is_found_out() {
    lie("backtrace:\n", "[    0.2] hello\nbacktrace:\n", "another voice");
    lie("backtrace:\n", "standstill> backtrace:\n", "another voice");
    lie(
        "  #0 0xffffffff800129c9\n",
        "  #0 0xfff@panic cpu=0 why=\"x\"fffff800129c9\n",
        "another voice",
    );
    lie(
        "backtrace of CPU 0:\n",
        "backtrace of CPU 0:\nbacktrace of CPU 0:\n",
        "said twice",
    );
    lie("@end how=panic\n", "@end how=panic\n@end how=panic\n", "2 @end");
    lie("@end how=panic\n", "", "the last line");
    lie("@end how=panic\n", "@way name=kbd\n", "the last line");
    lie("@way name=acpi\n", "@way name=acpi\n  over\n", "the last line");
    lie(
        "@panic cpu=1",
        "@panic cpu=0 why=\"first\"\n@panic cpu=1",
        "2 @panic",
    );
    lie("[    0.100000] clock", "Type help\n[    0.1] clock", "Type help");
}
