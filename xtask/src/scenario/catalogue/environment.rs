//! What the machine and the kernel are like when it happens.

use super::Host::{Sim, Unit};
use super::{FIRM, Scenario, Stage, X86, scenario, stage};
use crate::scenario::expect::{Expect, named, panic, parked, partial, reboot};

pub fn scenarios() -> Vec<Scenario> {
    let mut all = early();
    all.extend(rest());
    all
}

fn early() -> Vec<Scenario> {
    vec![
        scenario(
            48,
            "stop_before_percpu",
            "the kernel panics at a step of its boot: before per-CPU areas, the interrupt controller, the clock",
            "",
            &[
                Unit("smp-stop", "a_machine_that_has_nothing_yet_is_stopped_at_once"),
                Sim("scenario_48_stop_before_percpu"),
            ],
            boot_steps(),
        ),
        scenario(
            49,
            "up_build",
            "a kernel for one CPU: the same calls, the same report",
            "that no SMP symbol is linked is checked on the image",
            &[Unit("smp-stop", "one_cpu_has_the_same_report")],
            vec![
                stage("panic", 4, panic().owner(vec![0])).up().run("panic"),
                stage("reboot", 4, reboot().owner(vec![0]))
                    .up()
                    .inject("timer:delay=0")
                    .run("reboot"),
                stage(
                    "twice",
                    4,
                    panic().owner(vec![0]).panics(2).clue("injected at Backtrace"),
                )
                .up()
                .inject("backtrace:panic")
                .run("panic"),
                stage(
                    "crash_after_reboot",
                    4,
                    panic().owner(vec![0]).reason("crash").clue("injected"),
                )
                .up()
                .inject("shut-down:crash")
                .run("reboot"),
            ],
        ),
    ]
}

fn boot_steps() -> Vec<Stage> {
    let alone = |place| panic().early().clue(place).owner(vec![0]).alone();
    let at = |label, inject| stage(label, 4, alone("injected at Boot")).inject(inject);
    vec![
        stage("first_of_all", 4, alone("injected at Boot").no_owner()).early("boot/0:panic"),
        stage("machine", 4, alone("injected at Boot")).early("boot/1:panic"),
        at("cpu_numbers", "boot/2:panic"),
        at("memory", "boot/3:panic"),
        at("scheduler", "boot/4:panic"),
        at("interrupts", "boot/5:fault").expecting(alone("address 0x0")),
        at("time", "boot/6:panic"),
        at("other_cpus", "boot/7:panic"),
        stage(
            "first_thread",
            4,
            panic().early().owner(vec![0]).clue("injected at Boot"),
        )
        .inject("boot/8:panic"),
    ]
}

fn rest() -> Vec<Scenario> {
    let forced = || parked().via(&["non-maskable"]);
    vec![
        scenario(
            50,
            "clock_stopped_or_stepped",
            "the clock stands still, or is set: polls bound the waits; or its timer never interrupts, which is found at boot",
            "QEMU's clocks run, so the engine is shown another",
            &[
                Sim("scenario_50_clock_stopped_and_stepped"),
                Unit("smp-stop", "a_step_forward_is_not_the_end"),
            ],
            vec![
                // Polls take their time, and whoever stands by may lose patience first.
                stage("stopped", 4, panic().owner(vec![0, 1, 3]).cpu(2, forced()))
                    .firm()
                    .inject("clock*:skip")
                    .run("irqsoff 2;panic"),
                stage("stepped", 4, panic().owner(vec![0]).took_ms(0, u64::MAX))
                    .inject("clock@0+3*:refuse")
                    .run("panic"),
                no_timer("no_timer"),
                no_timer("no_timer_up").up(),
                stage(
                    "no_timer_on_2",
                    4,
                    panic()
                        .owner(vec![0])
                        .says("the timer's interrupt does not arrive on CPU 2"),
                )
                .inject("timer@2*:skip")
                .run("panic"),
            ],
        ),
        scenario(
            51,
            "mask_edges",
            "1, 2, 63, 64, 65 CPUs, and the highest of them as the owner",
            "1 to 32767 CPUs in sim",
            &[
                Sim("scenario_51_mask_edges"),
                Unit("smp-stop", "areas_of_any_size_account_for_their_last_cpu"),
            ],
            vec![
                stage("1", 1, panic().owner(vec![0])).run("panic"),
                stage("2", 2, panic().owner(vec![1])).run("on 1 panic"),
                stage("63", 63, panic().owner(vec![62])).run("on 62 panic"),
                stage("64", 64, panic().owner(vec![63])).run("on 63 panic"),
                stage("65", 65, panic().owner(vec![64])).run("on 64 panic"),
            ],
        ),
        scenario(
            52,
            "stop_report_exact",
            "some CPUs are stuck: exactly those are named",
            "all 125 combinations of five ailments on three CPUs in sim, three of them here",
            &[Sim("scenario_52_stop_report_exact")],
            vec![
                stage(
                    "1_and_3",
                    4,
                    partial().cpu(1, named("NMI_DEAF")).cpu(3, named("NMI_DEAF")),
                )
                .on(FIRM, None)
                .inject("signal@1*:skip,signal@3*:skip")
                .run("panic"),
                stage(
                    "each_in_its_own_way",
                    5,
                    partial()
                        .cpu(1, named("NMI_DEAF"))
                        .cpu(2, named("STUCK"))
                        .cpu(3, forced())
                        .cpu(4, parked().via(&["interrupt"]).why(&["NO_REGS"]).registers(false)),
                )
                .on(FIRM, None)
                .inject("signal@1*:skip,quiesce@2:hang,save-regs@4:fault")
                .run("irqsoff 3;panic"),
                stage("all", 4, all_deaf())
                    .on(FIRM, None)
                    .inject("signal*:skip")
                    .run("panic"),
            ],
        ),
        scenario(
            53,
            "system_still_alive_check",
            "after the stop nothing moves any more, however busy all were",
            "nobody takes a step, however long one waits",
            &[Sim("scenario_53_system_still_alive_check")],
            vec![
                stage("", 4, panic().owner(vec![0]).panics(1).clue("asked for"))
                    .inject(
                        "finishing@0:post=1,timer?1*:post=2,console@1?1*:post=2,console@2?1*:post=2,\
                        end@0:delay=5s,end@0?2:panic",
                    )
                    .run("busy all;busy all;panic"),
            ],
        ),
        scenario(
            54,
            "unknown_cpu_panics",
            "a CPU panics whose number or per-CPU base is not set",
            "",
            &[Sim("scenario_54_unknown_cpu_panics")],
            vec![
                stage(
                    "no_base",
                    4,
                    panic().early().owner(vec![3]).clue("injected at Entry"),
                )
                .inject("entry@3:panic"),
            ],
        ),
        scenario(
            55,
            "page_table_shadow_in_sync",
            "the tables that CPUs start on are not the kernel's any more: that is found before they are used",
            "the kernel's tables; none of the engine's business",
            &[],
            vec![
                stage(
                    "",
                    4,
                    panic()
                        .early()
                        .owner(vec![0])
                        .clue("per-CPU areas: shadow root")
                        .alone(),
                )
                .on(X86, None)
                .inject("resync*:skip"),
            ],
        ),
    ]
}

/// Without the timer's interrupt no wait of a CPU that sleeps would end: the boot does not get as far as the first one.
fn no_timer(label: &'static str) -> Stage {
    let alone = panic().early().owner(vec![0]).alone();
    let alone = alone.clue("the timer's interrupt does not arrive");
    stage(label, 4, alone).inject("timer*:skip")
}

fn all_deaf() -> Expect {
    let deaf = || named("NMI_DEAF");
    partial().cpu(1, deaf()).cpu(2, deaf()).cpu(3, deaf())
}
