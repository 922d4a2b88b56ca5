//! Signals that come late, twice, or not at all.

use super::Host::{Loom, Sim};
use super::{ARM, GICV2, Scenario, Stage, scenario, stage};
use crate::scenario::expect::{Expect, Want, interrupted, named, panic, parked, partial};

pub fn scenarios() -> Vec<Scenario> {
    let mut all = deaf();
    all.extend(signals());
    all.extend(special());
    all
}

fn forced() -> Want {
    parked().via(&["non-maskable"])
}

/// With the stronger rung CPU 2 is stopped by it; without, it is named.
fn by_force(inject: &'static str, run: &'static str, expect: fn(Expect) -> Expect) -> Vec<Stage> {
    vec![
        stage("", 4, expect(panic()).cpu(2, forced()))
            .firm()
            .inject(inject)
            .run(run),
        stage("no_second_rung", 4, expect(partial()).cpu(2, named("IRQ_OFF")))
            .on(ARM, GICV2)
            .inject(inject)
            .run(run),
    ]
}

fn deaf() -> Vec<Scenario> {
    vec![
        scenario(
            26,
            "irq_off_short",
            "CPU 2 has its interrupts off until another CPU has answered: no force is used, and its lock is released",
            "that no force was used can be counted",
            &[Sim("scenario_26_irq_off_short")],
            vec![
                stage("", 4, panic().owner(vec![0]).cpu(2, parked().via(&["interrupt"])))
                    .inject("standing-by:post=1,signalled/0@0:await=2,acknowledging@2:post=2")
                    .run("later-off 2 1 post 5;panic"),
                stage(
                    "with_the_consoles_lock",
                    4,
                    panic().owner(vec![0]).cpu(2, parked().via(&["interrupt"])),
                )
                .inject(
                    "console@2?3:post=4,console@2?3:await=1,standing-by:post=1,\
 signalled/0@0:await=2,acknowledging@2:post=2",
                )
                .run("later 2 3 uptime;post 3;await 4;panic"),
            ],
        ),
        scenario(
            27,
            "irq_off_forever",
            "CPU 2 has its interrupts off for ever: the stronger signal gets it, and where there is none it is named",
            "with and without a second rung",
            &[Sim("scenario_27_irq_off_forever")],
            {
                let mut stages = by_force("", "irqsoff 2;panic", |expect| expect.took_ms(10, 2_000));
                stages.push(
                    stage("in_a_handler", 4, panic().cpu(2, forced()))
                        .firm()
                        .inject("timer@2?1:post=2,timer@2?1:hang")
                        .run("busy 2;busy 2;post 1;await 2;panic"),
                );
                stages
            },
        ),
        scenario(
            28,
            "nmi_deaf",
            "CPU 2 takes no signal of any kind: the stop ends, and it is named",
            "no CPU of QEMU's is deaf of itself: its handlers are made to look away",
            &[Sim("scenario_28_nmi_deaf")],
            vec![
                stage(
                    "",
                    4,
                    partial()
                        .cpu(2, named("NMI_DEAF").state(&["stop-requested"]))
                        .took_ms(30, 3_000),
                )
                .firm()
                .inject("signal@2*:skip")
                .run("panic"),
                stage("no_second_rung", 4, partial().cpu(2, named("IRQ_OFF")))
                    .on(ARM, GICV2)
                    .inject("signal@2*:skip")
                    .run("panic"),
            ],
        ),
    ]
}

fn signals() -> Vec<Scenario> {
    vec![
        scenario(
            29,
            "ipi_lost_once",
            "the first signal is lost: the second, stronger one gets everybody",
            "QEMU loses none, so the sender drops it",
            &[Sim("scenario_29_ipi_lost_once")],
            vec![
                stage(
                    "",
                    4,
                    panic()
                        .owner(vec![0])
                        .cpu(1, forced())
                        .cpu(2, forced())
                        .cpu(3, forced()),
                )
                .firm()
                .inject("send/0@0:skip")
                .run("panic"),
            ],
        ),
        scenario(
            30,
            "ipi_duplicated",
            "each signal is sent twice: one answer each",
            "QEMU doubles none, so the sender does",
            &[Loom("signal_twice"), Sim("scenario_30_ipi_duplicated")],
            vec![
                stage("", 4, panic().owner(vec![0]))
                    .inject("send@0*:twice")
                    .run("panic"),
                stage("both_rungs", 4, panic().owner(vec![0]).cpu(2, forced()))
                    .firm()
                    .inject("send@0*:twice")
                    .run("irqsoff 2;panic"),
            ],
        ),
        scenario(
            31,
            "ipi_reordered_with_nmi",
            "the interrupt is still pending when the stronger signal is answered",
            "order on demand",
            &[Loom("signal_twice"), Sim("scenario_31_ipi_reordered_with_nmi")],
            vec![
                stage("", 4, panic().owner(vec![0]).cpu(2, forced()))
                    .firm()
                    .inject("saved@2:delay=20ms")
                    .run("irqsoff 2;panic"),
            ],
        ),
        scenario(
            32,
            "ack_from_non_target",
            "a broadcast reaches a CPU on its way up: the wait does not end early",
            "nothing counts, so nothing can be counted too early",
            &[Sim("scenario_32_ack_from_non_target")],
            vec![
                stage(
                    "",
                    4,
                    panic()
                        .early()
                        .owner(vec![0])
                        .clue("Started")
                        .cpu(1, interrupted())
                        .cpu(3, parked().via(&["gate"]))
                        .took_ms(10, 2_000),
                )
                .inject(
                    "online@1:post=3,started@0:await=3,started@0:panic,installed@3:await=4,\
                    signalled/0@0:delay=20ms,signalled/0@0:post=4",
                ),
            ],
        ),
        scenario(
            35,
            "vcpu_descheduled",
            "CPU 2 does nothing at all for two seconds: it is named, and parks later; unless it is given the time",
            "two thousand times a rung's time in sim",
            &[Sim("scenario_35_vcpu_descheduled")],
            vec![
                stage(
                    "",
                    4,
                    partial()
                        .owner(vec![0])
                        .cpu(2, parked().via(&["interrupt", "non-maskable"]).why(&["LATE"])),
                )
                .firm()
                .inject("signal/1@2:delay=2s,signal/2@2:delay=2s,table@0:delay=4s")
                .run("panic"),
                stage(
                    "waited_for",
                    4,
                    panic()
                        .owner(vec![0])
                        .cpu(2, parked().via(&["interrupt", "non-maskable"]))
                        .took_ms(2_000, 20_000),
                )
                .words("stop_grace=20000")
                .inject("signal/1@2:delay=2s,signal/2@2:delay=2s")
                .run("panic"),
                stage(
                    "waited_for_at_the_only_rung",
                    4,
                    panic()
                        .owner(vec![0])
                        .cpu(2, interrupted())
                        .took_ms(2_000, 20_000),
                )
                .on(ARM, GICV2)
                .words("stop_grace=20000")
                .inject("signal/1@2:delay=2s")
                .run("panic"),
                stage(
                    "no_second_rung",
                    4,
                    partial().owner(vec![0]).cpu(2, interrupted().why(&["LATE"])),
                )
                .on(ARM, GICV2)
                .inject("signal/1@2:delay=2s,table@0:delay=4s")
                .run("panic"),
            ],
        ),
        scenario(
            36,
            "nmi_handler_registration_fails",
            "a signal cannot be sent: that is said",
            "the signal hook says so",
            &[Sim("scenario_36_nmi_handler_registration_fails")],
            vec![
                stage("the_second", 4, partial().owner(vec![0]).cpu(2, named("IRQ_OFF")))
                    .firm()
                    .inject("send/1@0*:refuse")
                    .run("irqsoff 2;panic"),
                stage("all", 4, nothing_sent())
                    .inject("send@0*:refuse")
                    .run("panic"),
            ],
        ),
    ]
}

fn nothing_sent() -> Expect {
    let lost = || named("NO_SIGNAL").state(&["stop-requested"]);
    partial()
        .owner(vec![0])
        .cpu(1, lost())
        .cpu(2, lost())
        .cpu(3, lost())
        .says("@stop state=unavailable")
}

fn special() -> Vec<Scenario> {
    vec![
        scenario(
            33,
            "rendezvous_spin",
            "all others spin with interrupts off until the stopper does something for them",
            "polled, and not polled",
            &[Sim("scenario_33_rendezvous_spin")],
            vec![
                stage(
                    "",
                    4,
                    panic()
                        .owner(vec![0])
                        .cpu(1, forced())
                        .cpu(2, forced())
                        .cpu(3, forced()),
                )
                .firm()
                .run("later-off 1 9 panic;later-off 2 9 panic;later-off 3 9 panic;panic"),
            ],
        ),
        scenario(
            34,
            "stopper_waits_on_target_lock",
            "CPU 2 is stopped in the middle of a line, the console's lock held: the report appears all the same",
            "the engine takes no lock; whether the console's output appears only a console shows",
            &[],
            vec![
                stage("", 4, panic().owner(vec![0]).cpu(2, forced()))
                    .firm()
                    .inject("console@2?3:post=4,console@2?3:hang")
                    .run("later 2 3 uptime;post 3;await 4;panic"),
                stage(
                    "no_second_rung",
                    4,
                    partial().owner(vec![0]).cpu(2, named("IRQ_OFF")),
                )
                .on(ARM, GICV2)
                .inject("console@2?3:post=4,console@2?3:hang")
                .run("later 2 3 uptime;post 3;await 4;panic"),
            ],
        ),
        scenario(
            37,
            "boot_cpu_special",
            "an application processor is the owner: the boot CPU is stopped without resetting the machine",
            "that ids from 0x100 on are not cut is each interrupt controller's own test",
            &[Sim("scenario_37_boot_cpu_special")],
            vec![
                stage("", 4, panic().owner(vec![3]).cpu(0, interrupted())).run("on 3 panic"),
                stage("interrupts_off", 4, panic().owner(vec![3]).cpu(0, forced()))
                    .firm()
                    .inject("console@0?3:hang")
                    .run("later 3 3 panic;post 3;uptime"),
            ],
        ),
        scenario(
            38,
            "virt_root_blocks_init",
            "hypervisor mode holds back the hard stop: the CPU is named, unless a signal reaches it, on which it leaves that mode",
            "no machine here has that mode, or a hard stop; the quiesce hook is where a kernel would turn it off",
            &[Sim("scenario_38_virt_root_blocks_init")],
            vec![],
        ),
    ]
}
