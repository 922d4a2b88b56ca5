//! CPUs on their way up or off.

use super::Host::{Loom, Sim};
use super::{ARM, Scenario, Stage, X86, scenario, stage};
use crate::scenario::expect::{Expect, Want, interrupted, named, off, panic, parked, partial};

/// Ways in which a CPU that has just come online, or is about to, is stopped.
const ARRIVING: &[&str] = &["gate", "interrupt", "non-maskable"];

pub fn scenarios() -> Vec<Scenario> {
    vec![
        scenario(
            1,
            "panic_on_starting_2cpu",
            "CPU 1 of two panics on its way up; CPU 0 waits for it",
            "a race between two words; on hardware for the RFC's sake",
            &[
                Loom("panic_on_starting"),
                Sim("scenario_01_panic_on_starting_2cpu"),
            ],
            vec![
                stage("before_its_base", 2, starting_panics("Entry")).inject("entry@1:panic"),
                stage("before_the_gate", 2, starting_panics("Installed")).inject("installed@1:panic"),
                stage("before_the_masks", 2, starting_panics("Online")).inject("online@1:panic"),
            ],
        ),
        scenario(
            2,
            "panic_on_starting_4cpu_kexec",
            "the same with four CPUs, two others on their way up: a next kernel must be able to start all of them",
            "whether a CPU can be started again is the hardware's to say; the owner asks it, for want of a next kernel",
            &[Sim("scenario_02_panic_on_starting_4cpu_kexec")],
            vec![
                stage("", 4, on_the_way_up(2, "Installed").cpu(0, interrupted()))
                    .inject("started@0:post=9,installed@2:await=9,installed@2:panic"),
                stage(
                    "others_follow",
                    4,
                    on_the_way_up(2, "Installed").cpu(0, interrupted()),
                )
                .inject(
                    "started@0:post=9,installed@2:await=9,installed@2:panic,installed@1:delay=5ms,\
                         entry@3:delay=20ms",
                ),
                // No kernel on another CPU starts the boot CPU of an x86: INIT sends that to the firmware.
                next_kernel().on(X86, None).expecting(
                    on_the_way_up(2, "Installed")
                        .cpu(0, interrupted())
                        .says("@next started=1,3 lost= left=0"),
                ),
                next_kernel().on(ARM, None).expecting(
                    on_the_way_up(2, "Installed")
                        .cpu(0, interrupted())
                        .says("@next started=0-1,3 lost= left="),
                ),
            ],
        ),
        scenario(
            3,
            "third_party_starter",
            "CPU 0 panics while CPU 2 is between its release and the gate, where it comes sooner or later",
            "delays to the microsecond in sim",
            &[
                Loom("stop_vs_gate"),
                Loom("start_vs_stop"),
                Sim("scenario_03_third_party_starter"),
            ],
            third_party(),
        ),
        scenario(
            4,
            "online_between_snapshot_and_ipi",
            "CPU 2 comes online after CPU 0 was elected and before it is asked; or is asked a moment before",
            "a moment inside the owner",
            &[
                Loom("stop_vs_gate"),
                Sim("scenario_04_online_between_snapshot_and_ipi"),
            ],
            vec![
                stage("before_it_is_asked", 4, starter_panics().cpu(2, arriving())).inject(
                    "started@0:await=3,started@0:panic,online@1:post=3,installed@2:await=1,online@2:post=2,\
                     elected@0:post=1,elected@0:await=2",
                ),
                stage("after_it_was_asked", 4, starter_panics().cpu(2, at_the_gate())).inject(
                    "started@0:await=3,started@0:panic,online@1:post=3,installed@2:await=1,\
                     asked/2@0:post=1,asked/2@0:delay=5ms",
                ),
            ],
        ),
        scenario(
            5,
            "online_between_ipi_and_wait",
            "CPU 2 gets to the gate after the signal was sent, before anybody waits",
            "a moment inside the owner",
            &[
                Loom("stop_vs_gate"),
                Sim("scenario_05_online_between_ipi_and_wait"),
            ],
            vec![stage("", 4, starter_panics().cpu(2, at_the_gate())).inject(
                "started@0:await=3,started@0:panic,online@1:post=3,installed@2:await=1,\
                 signalled/0@0:post=1,signalled/0@0:delay=5ms",
            )],
        ),
        scenario(
            6,
            "online_after_done",
            "CPU 2 comes when the stop is long over: it parks, and was named",
            "firmware that is late on demand",
            &[Loom("late_arrival"), Sim("scenario_06_online_after_done")],
            vec![
                stage(
                    "",
                    4,
                    starting_lost(&["stop-requested"])
                        .says("@stop state=partial owner=0 stopped=1-3 ")
                        .says(" silent=2 "),
                )
                .inject("started@0:panic,entry@2:delay=2s,end@0:delay=4s"),
            ],
        ),
        scenario(
            7,
            "starter_never_arrives",
            "CPU 2 is released and never seen at the gate: the wait ends, and it is named",
            "a core that is dead",
            &[Sim("scenario_07_starter_never_arrives")],
            vec![
                stage("while_it_is_waited_for", 4, starting_lost(&["stop-requested"]))
                    .inject("started@0:panic,entry@2:hang"),
                stage(
                    "and_is_off_by_the_hardware",
                    4,
                    starting_lost(&["stop-requested"]),
                )
                .inject("started@0:panic,release/2@0*:skip"),
                stage(
                    "after_it_was_given_up",
                    4,
                    partial().cpu(2, named("LOST")).says("missing=2"),
                )
                .inject("entry@2:hang")
                .run("panic"),
                stage(
                    "given_up_and_off_by_the_hardware",
                    4,
                    partial().cpu(2, named("LOST")).says("missing=2"),
                )
                .inject("release/2@0*:skip")
                .run("panic"),
            ],
        ),
        scenario(
            8,
            "cpu_up_initiator_is_stopped",
            "CPU 1 panics while CPU 0 sleeps until CPU 3 is there",
            "a moment inside the starter",
            &[
                Loom("start_vs_stop"),
                Sim("scenario_08_cpu_up_initiator_is_stopped"),
            ],
            vec![
                stage(
                    "",
                    4,
                    on_the_way_up(1, "Online")
                        .cpu(0, interrupted())
                        .cpu(3, at_the_gate()),
                )
                .inject("waiting@0:post=1,online@1:await=1,online@1:panic,installed@3:delay=30ms"),
            ],
        ),
        scenario(
            9,
            "hotplug_out_in_flight",
            "a CPU is on its way off when the stop begins",
            "a path off that takes long",
            &[Loom("offline_vs_stop"), Sim("scenario_09_hotplug_out_in_flight")],
            leaving(),
        ),
        scenario(
            10,
            "dead_cpu_in_monitor_wait",
            "a CPU that was taken off stays off: it waits on no monitored line that somebody overwrites",
            "no CPU here waits on a monitored line: it halts or is powered off, and the audit looks where",
            &[],
            vec![
                stage("", 4, panic().cpu(2, off())).run("offline 2;panic"),
                stage("and_came_back", 4, panic().cpu(2, interrupted())).run("offline 2;online 2;panic"),
            ],
        ),
        scenario(
            57,
            "cpu_comes_unasked",
            "the hardware starts a CPU that was not released: it waits, can be released yet, and a stop knows of it",
            "a signal that reaches more CPUs than one; the order of its coming and its release is loom's",
            &[
                Loom("unasked_arrival"),
                Loom("unasked_vs_stop"),
                Sim("scenario_57_cpu_comes_unasked"),
            ],
            unasked(),
        ),
    ]
}

fn at_the_gate() -> Want {
    parked().via(&["gate"])
}

fn arriving() -> Want {
    parked().via(ARRIVING)
}

/// CPU `owner` panics at `place`, on its way up.
fn on_the_way_up(owner: u32, place: &'static str) -> Expect {
    panic().early().owner(vec![owner]).clue(place)
}

/// CPU 2 panics on its way up, and then does what a next kernel would do first.
fn next_kernel() -> Stage {
    stage("next_kernel", 4, on_the_way_up(2, "Installed"))
        .inject("started@0:post=9,installed@2:await=9,installed@2:panic,end:next")
}

fn starting_panics(place: &'static str) -> Expect {
    on_the_way_up(1, place).cpu(0, interrupted())
}

/// CPU 0 panics once it has released the others.
fn starter_panics() -> Expect {
    on_the_way_up(0, "Started")
}

/// The same, and CPU 2 is not there in time.
fn starting_lost(states: &[&'static str]) -> Expect {
    let end = partial()
        .early()
        .owner(vec![0])
        .clue("Started")
        .took_ms(100, 2_000);
    end.cpu(2, named("STARTING_LOST").state(states))
}

/// The wait for arrivals lasts 100 ms and one for each CPU that is on its way.
fn third_party() -> Vec<Stage> {
    let on_time = || starter_panics().cpu(2, arriving()).took_ms(0, 600);
    vec![
        stage("at_once", 4, on_time()).inject("started@0:panic"),
        stage("before_half_the_time", 4, on_time().cpu(2, at_the_gate()))
            .inject("started@0:panic,installed@2:delay=30ms"),
        stage("after_three_times", 4, starting_lost(&["stop-requested"]))
            .inject("started@0:panic,installed@2:delay=1s"),
        stage(
            "before_the_table",
            4,
            partial()
                .early()
                .owner(vec![0])
                .clue("Started")
                .took_ms(100, 2_000)
                .cpu(2, parked().via(&["gate"]).why(&["LATE"])),
        )
        .inject("started@0:panic,installed@2:delay=1s,table@0:delay=3s"),
    ]
}

/// A CPU comes before any is released, and waits: on x86 in the park page, on aarch64 turned off, which the hardware shows.
fn unasked() -> Vec<Stage> {
    let before_any = "unasked/1@0:skip,unasked/2@0:panic";
    let stopped = |end: Expect| end.early().owner(vec![0]).clue("Unasked");
    vec![
        stage(
            "and_is_released_later",
            4,
            panic().cpu(2, interrupted()).says("online=0-3 missing= "),
        )
        .inject("unasked/2@0:skip")
        .run("panic"),
        stage("all_of_them", 4, panic().says("online=0-3 missing= "))
            .inject("unasked@0*:skip")
            .run("panic"),
        stage(
            "before_a_stop",
            4,
            stopped(partial())
                .alone()
                .cpu(1, named("UNASKED").state(&["off"]))
                .says(" off= silent=1 "),
        )
        .on(X86, None)
        .inject(before_any),
        stage("before_a_stop_and_off", 4, stopped(panic()).alone())
            .on(ARM, None)
            .inject(before_any),
    ]
}

/// CPU 2 goes off while CPU 0 panics: before its word says so, after, and when it has got there.
fn leaving() -> Vec<Stage> {
    let gone = || panic().owner(vec![0]).clue("asked for");
    let run = "later 1 3 offline 2;post 3;await 1;panic";
    vec![
        stage("online_by_its_word", 4, gone().cpu(2, parked()))
            .inject("leaving@2:post=1,leaving@2:await=2,signalled/0@0:post=2")
            .run(run),
        stage(
            "dying_by_its_word",
            4,
            gone().cpu(2, parked().via(&["offline path", "interrupt", "non-maskable"])),
        )
        .inject("dying@2:post=1,dying@2:await=2,signalled/0@0:post=2")
        .run(run),
        stage(
            "for_a_long_time",
            4,
            gone().end(partial().end).cpu(2, named("OFFLINE_LOST")),
        )
        .inject("signal@2*:skip,dying@2:post=1,dying@2:delay=5s")
        .run(run),
        stage("just_gone", 4, gone().cpu(2, off()))
            .inject("gone@2:post=1,gone@2:delay=5ms")
            .run(run),
    ]
}
