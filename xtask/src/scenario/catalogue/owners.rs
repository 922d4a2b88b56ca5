//! The owner of a stop fails on the way.

use super::stoppers::ASKED_FOR;
use super::{FIRM, GICV2, Stage, X86, stage};
use crate::scenario::expect::{named, panic, parked, partial};

pub(super) fn owner_reenters() -> Vec<Stage> {
    let inner = |place| panic().owner(vec![1]).clue(place);
    let run = "on 1 panic";
    vec![
        stage("elected", 4, inner("injected at Elected"))
            .inject("elected@1:panic")
            .run(run),
        stage("asking", 4, inner("injected at Asked"))
            .inject("asked/2@1:panic")
            .run(run),
        stage("before_the_signal", 4, inner("address 0x0"))
            .inject("signalling/0@1:fault")
            .run(run),
        stage("after_the_signal", 4, inner("injected at Signalled"))
            .inject("signalled/0@1:panic")
            .run(run),
        stage("released", 4, inner("injected at Released"))
            .inject("released@1:panic")
            .run(run),
        stage("finishing", 4, inner("address 0x0"))
            .inject("finishing@1:fault")
            .run(run),
        stage("before_the_report", 4, inner("injected at Report"))
            .inject("report@1:panic")
            .run(run),
        stage("in_the_report", 4, inner("injected at Backtrace").panics(2))
            .inject("backtrace@1:panic")
            .run(run),
        stage("at_the_end", 4, inner("address 0x0").panics(2))
            .inject("end@1:fault")
            .run(run),
        stage("twice", 4, inner("injected at Signalling"))
            .inject("elected@1:panic,signalling/0@1:panic")
            .run(run),
    ]
    .into_iter()
    .chain(owner_fails_for_ever())
    .collect()
}

/// The second failure of a report is told in a line, the third halts; wherever they are, and however many would follow.
fn owner_fails_for_ever() -> [Stage; 7] {
    let third = "panic while panicking for the third time: no more is told";
    let inner = |place| panic().owner(vec![1]).clue(place);
    let deep = || inner("injected at Backtrace").panics(2).says(third);
    let run = "on 1 panic";
    let stopped = "@stop state=stopped owner=1 stopped=0,2-3";
    [
        stage("table_again", 4, inner("address 0x0").panics(2).never(third))
            .inject("table@1:fault")
            .run(run),
        stage("three_deep", 4, deep())
            .inject("backtrace@1:panic,end@1:fault")
            .run(run),
        stage("three_deep_and_reset", 4, deep())
            .inject("backtrace@1:panic,end@1*:fault")
            .panic(-1)
            .run(run),
        stage(
            "each_table",
            4,
            inner("address 0x0")
                .panics(2)
                .says(third)
                .says(stopped)
                .no_table(),
        )
        .inject("table@1*:fault")
        .run(run),
        // The last of the engine's places and the first after it: nothing has been told yet.
        stage(
            "in_the_stop_and_after",
            4,
            inner("injected at Report").says(third).says(stopped).no_table(),
        )
        .inject("finishing@1:panic,report@1*:panic,table@1*:panic")
        .run(run),
        // The handler is what fails, whatever it is called for.
        stage("each_exception", 4, inner("address 0x0"))
            .inject("exception@1*:fault")
            .run("on 1 fault undef"),
        stage("one_cpu", 1, deep().owner(vec![0]))
            .up()
            .inject("backtrace:panic,end*:fault")
            .run("panic"),
    ]
}

/// Whoever stands by waits for twice the time that an owner can need.
pub(super) fn owner_dies() -> Vec<Stage> {
    let taken = || {
        panic()
            .owner(vec![0, 2, 3])
            .clue("died of it: asked for by the monitor")
            .says("taken from CPU 1")
            .says("CPU 1 said: asked for by the monitor")
    };
    vec![
        stage("", 4, taken().cpu(1, parked().via(&["non-maskable"])))
            .firm()
            .inject("signalled/0@1:hang")
            .run("on 1 panic"),
        stage(
            "deaf_to_all",
            4,
            taken().end(partial().end).cpu(1, named("OWNER_DIED")),
        )
        .on(X86, None)
        .inject("signalled/0@1:nmi,nmi@1:hang")
        .run("on 1 panic"),
        stage(
            "no_second_rung",
            4,
            taken().end(partial().end).cpu(1, named("OWNER_DIED")),
        )
        .on(super::ARM, GICV2)
        .inject("signalled/0@1:hang")
        .run("on 1 panic"),
        stage("only_slow", 4, panic().owner(vec![1]).clue(ASKED_FOR))
            .on(FIRM, None)
            .inject("signalled/0@1:delay=100ms")
            .run("on 1 panic"),
    ]
}
