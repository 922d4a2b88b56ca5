//! Acknowledgement, memory, registers.

use super::Host::{Loom, Sim};
use super::{ARM, Scenario, Stage, scenario, stage};
use crate::scenario::expect::{interrupted, named, panic, partial};

pub fn scenarios() -> Vec<Scenario> {
    vec![
        scenario(
            39,
            "ack_before_flush",
            "what must be in order before the acknowledgement takes its time: the owner waits, and if too long, says so",
            "QEMU's caches flush at once, so the hook is slowed",
            &[Sim("scenario_39_ack_before_flush")],
            vec![
                stage("", 4, panic().owner(vec![0]).took_ms(5, 2_000))
                    .inject("quiesce@2:delay=5ms")
                    .run("panic"),
                stage(
                    "too_long",
                    4,
                    partial()
                        .owner(vec![0])
                        .cpu(2, named("STUCK").state(&["saving", "saved"])),
                )
                .inject("quiesce@2:delay=3s")
                .run("panic"),
            ],
        ),
        scenario(
            40,
            "regs_visible_after_ack",
            "registers are whole when the acknowledgement is seen, on memory with a weak order",
            "memory ordering; the mutant RelaxedAck is the control",
            &[Loom("double_panic")],
            vec![],
        ),
        scenario(
            41,
            "fault_while_saving_regs",
            "a CPU faults while it answers: it parks, without registers if it had none yet",
            "a fault at each step of the answer",
            &[
                Sim("scenario_41_fault_while_saving_regs"),
                Sim("scenario_41_fault_anywhere_on_the_way"),
            ],
            faults(),
        ),
        scenario(
            42,
            "park_page_survives",
            "memory is overwritten under CPUs that are parked, and signals of every kind come: they stay in the park page",
            "from outside: all memory but the park page and the tables that show it",
            &[Sim("scenario_42_park_page_survives")],
            vec![
                stage("overwritten", 4, panic().owner(vec![0]))
                    .run("panic")
                    .overwritten(),
                stage("overwritten_under_waiting_cpus", 4, panic().owner(vec![0]))
                    .on(ARM, None)
                    .inject("cpu-off*:skip")
                    .run("panic")
                    .overwritten(),
                // At the gate nobody has been sent a signal that would still be pending, and nobody stands by with a timer.
                stage(
                    "overwritten_and_woken",
                    4,
                    panic()
                        .early()
                        .owner(vec![0])
                        .clue("Started")
                        .says("woken since: 1,2,3"),
                )
                .on(ARM, None)
                .inject(
                    "installed@1:await=1,installed@2:await=1,installed@3:await=1,started@0:panic,\
                     asked/3@0:post=1,cpu-off*:skip,quiesce*:skip",
                )
                .overwritten(),
                stage("signals", 4, panic().owner(vec![0]))
                    .inject("end@0:storm,end@0:delay=100ms,end@0:storm,end@0:delay=100ms")
                    .run("panic"),
                stage("signals_to_waiting_cpus", 4, panic().owner(vec![0]))
                    .on(ARM, None)
                    .inject("cpu-off*:skip,end@0:storm,end@0:delay=100ms,end@0:storm,end@0:delay=100ms")
                    .run("panic"),
            ],
        ),
        scenario(
            43,
            "power_off_denied",
            "firmware does not power the CPU off: it stays in the park page",
            "QEMU's firmware denies nothing, so it is not asked",
            &[Sim("scenario_43_power_off_denied")],
            vec![
                stage("", 4, panic().owner(vec![0]))
                    .on(ARM, None)
                    .inject("cpu-off@2*:skip")
                    .run("panic"),
                stage("nobody", 4, panic().owner(vec![0]))
                    .on(ARM, None)
                    .inject("cpu-off*:skip")
                    .run("panic"),
            ],
        ),
        scenario(
            44,
            "already_on_in_next_kernel",
            "a CPU has acknowledged and is not off yet: the owner asks the hardware until it is, so that it can be started",
            "hardware that takes its time; for want of a next kernel the owner itself starts them all again",
            &[Sim("scenario_44_already_on_in_next_kernel")],
            vec![
                stage("", 4, panic().owner(vec![0]).took_ms(15, 2_000))
                    .on(ARM, None)
                    .inject("park@2:delay=15ms")
                    .run("panic"),
                stage(
                    "next_kernel",
                    4,
                    panic().owner(vec![0]).says("@next started=1-3 lost= left="),
                )
                .inject("park@2:delay=15ms,end@0:next")
                .run("panic"),
                // The controls: one that is not started does not come; of one that only waits firmware says that it is on.
                stage(
                    "next_kernel_that_forgets_one",
                    4,
                    panic()
                        .owner(vec![0])
                        .says("CPU 2: was started, and does not come")
                        .says("@next started=1,3 lost=2 left="),
                )
                .inject("end@0:next,starting/2@0*:skip")
                .run("panic"),
                stage(
                    "next_kernel_and_one_that_waits",
                    4,
                    panic()
                        .owner(vec![0])
                        .says("CPU 2: cannot be started: AlreadyOn")
                        .says("@next started=1,3 lost=2 left="),
                )
                .on(ARM, None)
                .inject("cpu-off@2:skip,end@0:next")
                .run("panic"),
            ],
        ),
        scenario(
            45,
            "late_reader_of_owner_stack",
            "a CPU that comes late reads what the owner left on its stack",
            "all of a stop lies in one static",
            &[Sim("scenario_45_late_reader_of_owner_stack")],
            vec![],
        ),
        scenario(
            46,
            "double_note",
            "a non-maskable interrupt hits a CPU that is answering: the registers it saved stay",
            "a signal inside the save",
            &[Loom("signal_twice"), Sim("scenario_46_double_note")],
            vec![
                stage(
                    "before_the_registers",
                    4,
                    panic().owner(vec![0]).cpu(2, interrupted()),
                )
                .firm()
                .inject("answering@2:nmi,answering@2:delay=1ms")
                .run("panic"),
                stage("after_them", 4, panic().owner(vec![0]).cpu(2, interrupted()))
                    .firm()
                    .inject("saved@2:nmi,saved@2:delay=1ms")
                    .run("panic"),
            ],
        ),
        scenario(
            47,
            "tick_broadcast_to_parked",
            "timers of parked CPUs are due: nobody's handler runs",
            "",
            &[Sim("scenario_47_tick_broadcast_to_parked")],
            vec![
                stage("", 4, panic().owner(vec![0]).clue("asked for").panics(1))
                    .inject("finishing@0:post=1,timer?1*:post=2,end@0:delay=1s,end@0?2:panic")
                    .run("busy all;busy all;sleep 50;panic"),
            ],
        ),
    ]
}

fn faults() -> Vec<Stage> {
    let bare = || interrupted().why(&["NO_REGS"]).registers(false);
    let at = |label, inject, want| {
        stage(label, 4, panic().owner(vec![0]).cpu(2, want))
            .inject(inject)
            .run("panic")
    };
    vec![
        // It had not even said yet how it was reached.
        at("answering", "answering@2:fault", bare().via(&[])),
        at("saving", "save-regs@2:fault", bare()),
        at("saved", "saved@2:fault", interrupted()),
        at("quiescing", "quiesce@2:fault", interrupted()),
        at("acknowledging", "acknowledging@2:panic", interrupted()),
    ]
}
