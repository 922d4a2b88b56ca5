//! More than one CPU wants to stop the others, or one wants it more than once.

use super::Host::{Loom, Shuttle, Sim, Unit};
use super::owners::{owner_dies, owner_reenters};
use super::{GICV2, Scenario, Stage, scenario, stage};
use crate::scenario::expect::{Expect, named, panic, parked, partial, reboot};

pub(super) const ASKED_FOR: &str = "asked for by the monitor";

pub fn scenarios() -> Vec<Scenario> {
    let mut all = together();
    all.extend(again());
    all
}

/// Two or more at once.
fn together() -> Vec<Scenario> {
    vec![
        scenario(
            11,
            "double_panic",
            "two CPUs panic within a millisecond",
            "skew to the microsecond in sim",
            &[Loom("double_panic"), Sim("scenario_11_double_panic")],
            vec![
                stage("", 2, panic().clue(ASKED_FOR))
                    .inject("stop@0:skew=1ms,stop@1:skew=1ms")
                    .run("later 1 1 panic;post 1;panic"),
                stage("interrupts_off", 4, panic().owner(vec![1, 2]).clue(ASKED_FOR))
                    .inject("stop@1:skew=1ms,stop@2:skew=1ms")
                    .run("later-off 1 1 panic;later-off 2 1 panic;post 1;stay"),
            ],
        ),
        scenario(
            12,
            "panic_storm",
            "all CPUs panic at once",
            "64 at once in sim, 8 here",
            &[Shuttle("everybody_panics"), Sim("scenario_12_panic_storm")],
            vec![
                stage("", 8, panic().clue(ASKED_FOR))
                    .inject(
                        "stop@0:skew=100us,stop@1:skew=100us,stop@2:skew=100us,stop@3:skew=100us,\
                         stop@4:skew=100us,stop@5:skew=100us,stop@6:skew=100us,stop@7:skew=100us",
                    )
                    .run(
                        "later 1 1 panic;later 2 1 panic;later 3 1 panic;later 4 1 panic;later 5 1 panic;\
                         later 6 1 panic;later 7 1 panic;post 1;panic",
                    ),
            ],
        ),
        scenario(
            13,
            "reboot_then_crash",
            "CPU 0 stops the others to reboot, CPU 1 crashes: it takes the stop over, CPU 0 parks with its registers",
            "before the signal, in the wait, after the end",
            &[
                Loom("reboot_vs_crash"),
                Sim("scenario_13_reboot_then_crash"),
                Sim("scenario_13_reboot_then_crash_after_done"),
            ],
            reboot_then_crash(),
        ),
        scenario(
            14,
            "crash_then_reboot",
            "CPU 1 crashes, and before it has told anybody another CPU reboots: that one parks, and is not lost",
            "a CPU that hears nothing for long",
            &[Loom("reboot_vs_crash"), Sim("scenario_14_crash_then_reboot")],
            vec![
                stage(
                    "before_the_signal",
                    4,
                    crashed().cpu(0, parked().via(&["second", "interrupt", "non-maskable"])),
                )
                .inject("elected@1:post=2,elected@1:delay=200ms")
                .run("later 1 1 crash;post 1;await 2;reboot"),
                stage(
                    "in_the_wait",
                    4,
                    crashed().cpu(2, parked().via(&["second", "non-maskable"])),
                )
                .inject("signalled/0@1:post=2,signalled/0@1:delay=5ms")
                .run("later-off 2 2 reboot;later 1 1 crash;post 1;stay"),
            ],
        ),
        scenario(
            15,
            "double_reboot",
            "two CPUs reboot at once: one does it, the other parks",
            "",
            &[Sim("scenario_15_double_reboot")],
            vec![
                stage("", 4, reboot())
                    .inject("stop@0:skew=100us,stop@1:skew=100us")
                    .run("later 1 1 reboot;post 1;reboot"),
            ],
        ),
        scenario(
            16,
            "plain_stop_done_then_crash",
            "all stand still for a reboot, then the owner crashes: everybody's registers are there",
            "registers must be there",
            &[Sim("scenario_16_plain_stop_done_then_crash")],
            vec![
                stage("", 4, panic().reason("crash").owner(vec![0]).clue("injected"))
                    .inject("shut-down@0:crash")
                    .run("reboot"),
            ],
        ),
        scenario(
            17,
            "plain_stop_in_flight_then_crash",
            "CPU 0 reboots, CPU 2 has answered, CPU 3 is deaf to interrupts, and CPU 1 crashes",
            "at each microsecond of the first stop in sim",
            &[
                Loom("reboot_vs_crash"),
                Sim("scenario_17_plain_stop_in_flight_then_crash"),
            ],
            {
                let raised = || raised().cpu(2, parked().via(&["interrupt", "non-maskable"]));
                let faults = "signalled/0@0:post=1,clock@0?1+2:await=3,elected@1:post=3";
                let run = "irqsoff 3;later-off 1 1 crash;reboot";
                vec![
                    stage("", 4, raised().cpu(3, parked().via(&["non-maskable"])))
                        .firm()
                        .inject(faults)
                        .run(run),
                    stage(
                        "one_is_answering",
                        4,
                        raised().cpu(3, parked().via(&["interrupt"])),
                    )
                    .inject(
                        "signalled/0@0:await=2,elected@1:post=2,answering@3:post=1,answering@3:delay=25ms,\
                             elected@1:delay=5ms",
                    )
                    .run("later-off 1 1 crash;reboot"),
                    stage(
                        "no_second_rung",
                        4,
                        raised()
                            .end(partial().end)
                            .cpu(0, gone())
                            .cpu(3, named("IRQ_OFF")),
                    )
                    .on(super::ARM, GICV2)
                    .inject(faults)
                    .run(run),
                ]
            },
        ),
    ]
}

fn gone() -> crate::scenario::expect::Want {
    parked().via(&["hand-over"])
}

/// CPU 1 crashes first.
fn crashed() -> Expect {
    panic()
        .reason("crash")
        .owner(vec![1])
        .clue(ASKED_FOR)
        .never("@end how=reboot")
}

/// CPU 1 crashes when CPU 0 stops the others already.
fn raised() -> Expect {
    crashed().cpu(0, parked().via(&["hand-over", "non-maskable"]))
}

fn reboot_then_crash() -> Vec<Stage> {
    let run = "later-off 1 1 crash;reboot";
    vec![
        stage("before_the_signal", 4, raised())
            .inject("elected@0:post=1,elected@0:await=2,elected@1:post=2")
            .run("later 1 1 crash;reboot"),
        stage("in_the_wait", 4, raised())
            .inject("signalled/0@0:post=1,clock@0?1+2:await=3,elected@1:post=3")
            .run(run),
        stage(
            "after_the_end",
            4,
            raised().cpu(0, parked().via(&["non-maskable"])),
        )
        .firm()
        .inject("signal@1*:skip,shut-down@0:post=1,shut-down@0:hang")
        .run(run),
    ]
}

/// The same CPU comes again.
fn again() -> Vec<Scenario> {
    vec![
        scenario(
            18,
            "owner_reenters",
            "the owner fails inside the stop, or inside its report, and goes on with what is left",
            "a fault in each of the engine's places",
            &[
                Loom("owner_reenters"),
                Sim("scenario_18_owner_reenters"),
                Sim("scenario_18_owner_fails_for_ever"),
            ],
            owner_reenters(),
        ),
        scenario(
            19,
            "panic_timeout_restart",
            "the restart after a panic asks for a stop once more: it is over already",
            "",
            &[Sim("scenario_19_panic_timeout_restart")],
            vec![
                stage(
                    "",
                    4,
                    reboot().reason("panic").owner(vec![0]).panics(1).clue(ASKED_FOR),
                )
                .inject("end@0:reboot")
                .run("panic"),
                stage(
                    "after_a_second",
                    4,
                    panic().owner(vec![0]).clue(ASKED_FOR).says("rebooting in 1 s"),
                )
                .run("panic")
                .panic(1),
            ],
        ),
        scenario(
            20,
            "failed_reboot_then_panic",
            "the machine does not reset, and the kernel panics afterwards: it is told",
            "",
            &[Sim("scenario_20_failed_reboot_then_panic")],
            vec![
                stage("", 4, panic().owner(vec![0]).clue("injected at Failed").ends(2))
                    .inject("reset@0:skip,failed@0:panic")
                    .run("reboot"),
            ],
        ),
        scenario(
            21,
            "irq_panics_after_election",
            "an interrupt is due on the owner, whose handler would panic: it is not taken",
            "a moment inside the owner",
            &[
                Loom("owner_reenters"),
                Sim("scenario_21_irq_panics_after_election"),
            ],
            vec![
                stage("", 4, panic().owner(vec![0]).clue(ASKED_FOR).panics(1))
                    .inject("elected@0:post=1,elected@0:delay=100ms,timer@0?1:panic")
                    .run("busy 0;busy 0;panic"),
            ],
        ),
        scenario(
            22,
            "nmi_panics_owner_mid_election",
            "a non-maskable interrupt hits the owner before it has told anybody, and its handler panics",
            "a moment inside the owner",
            &[Sim("scenario_22_nmi_panics_owner_mid_election")],
            vec![
                stage("", 4, panic().owner(vec![1]).clue("injected at Nmi"))
                    .firm()
                    .inject("elected@1:nmi,elected@1:delay=1ms,nmi@1:panic")
                    .run("on 1 panic"),
            ],
        ),
        scenario(
            23,
            "owner_dies",
            "the owner hangs between the signal and the wait: who stood by takes the stop over, once",
            "a hook that hangs",
            &[
                Loom("owner_dies"),
                Sim("scenario_23_owner_dies"),
                Sim("scenario_23_owner_is_only_slow"),
            ],
            owner_dies(),
        ),
        scenario(
            24,
            "redirect_target_dead",
            "the stop is handed to a chosen CPU that is dead",
            "no stop is handed to a chosen CPU; what is left of it is a dead boot CPU",
            &[Sim("scenario_24_redirect_target_dead")],
            vec![
                stage(
                    "the_boot_cpu_is_dead",
                    4,
                    partial().owner(vec![2]).cpu(0, named("NMI_DEAF")),
                )
                .firm()
                .inject("signal@0*:skip")
                .run("later 2 1 panic;post 1;stay"),
            ],
        ),
        scenario(
            25,
            "owner_migrates",
            "the caller is moved to another CPU between its call and the election",
            "the engine asks who it is once interrupts are off",
            &[Unit(
                "smp-stop",
                "a_caller_that_is_moved_is_the_cpu_it_was_moved_to",
            )],
            vec![],
        ),
    ]
}
