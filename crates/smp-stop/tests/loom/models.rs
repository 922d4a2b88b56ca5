//! The models: small machines in which everything that can happen does.

use std::sync::{Arc, Mutex};

use loom::thread;
use smp_stop::Reason::{Crash, Panic, Reboot};
use smp_stop::{CpuId, How, Report};

use crate::N;
use crate::arrivals::{late_arrival, stale_arrival, unasked_arrival, unasked_vs_stop};
use crate::audit::{Expect, audit};
use crate::machine::{Cpu, Fate, Machine, Trap};

/// Most preemptions with ordered reads, and with weak ones.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub ordered: usize,
    pub weak: usize,
}

/// One model: its name, how far loom goes, and what runs.
pub struct Model {
    pub name: &'static str,
    pub quick: Bounds,
    pub full: Bounds,
    pub run: fn(),
}

const fn model(name: &'static str, run: fn(), quick: [usize; 2], full: [usize; 2]) -> Model {
    Model {
        name,
        quick: bounds(quick),
        full: bounds(full),
        run,
    }
}

const fn bounds([ordered, weak]: [usize; 2]) -> Bounds {
    Bounds { ordered, weak }
}

/// The cheap ones first.
pub const MODELS: &[Model] = &[
    model("stop_vs_gate", stop_vs_gate, [4, 3], [5, 4]),
    model("panic_on_starting", panic_on_starting, [3, 2], [5, 3]),
    model("start_vs_stop", start_vs_stop, [3, 2], [4, 3]),
    model("late_arrival", late_arrival, [4, 3], [5, 4]),
    model("stale_arrival", stale_arrival, [4, 4], [6, 6]),
    model("unasked_arrival", unasked_arrival, [4, 4], [6, 6]),
    model("unasked_vs_stop", unasked_vs_stop, [3, 2], [4, 3]),
    model("own_start_vs_stop", own_start_vs_stop, [3, 2], [4, 3]),
    model("words_of_the_dead", words_of_the_dead, [3, 2], [4, 3]),
    model("double_panic", double_panic, [3, 1], [4, 1]),
    model("signal_twice", signal_twice, [3, 1], [4, 2]),
    model("offline_vs_stop", offline_vs_stop, [3, 1], [4, 1]),
    model("owner_reenters", owner_reenters, [2, 0], [3, 1]),
    model("owner_dies", owner_dies, [2, 1], [3, 1]),
    model("raise_after_done", raise_after_done, [2, 1], [3, 1]),
    model("dies_vs_crash", dies_vs_crash, [2, 0], [3, 1]),
    model("reboot_vs_crash", reboot_vs_crash, [2, 0], [3, 1]),
    model("three_panic", three_panic, [2, 0], [2, 0]),
];

/// Polls before a wait is over.
pub(crate) const POLLS: u32 = 2;

type Program = Box<dyn FnOnce(&Cpu) -> Fate + Send>;

pub(crate) fn program(f: impl FnOnce(&Cpu) -> Fate + Send + 'static) -> Option<Program> {
    Some(Box::new(f))
}

/// Runs each CPU's program, CPU 0's on the calling thread; a CPU without one is off.
pub(crate) fn run(machine: &Arc<Machine>, programs: [Option<Program>; N], trap: Trap) -> [Fate; N] {
    let [first, rest @ ..] = programs;
    let others = (1..).zip(rest).map(|(n, program)| {
        let cpu = machine.cpu(n);
        program.map(|program| thread::spawn(move || cpu.run(program)))
    });
    let others: Vec<_> = others.collect();
    let mut boot = machine.cpu(0);
    boot.trap = trap;
    let mut fates = vec![first.map_or(Fate::Parked, |program| boot.run(program))];
    fates.extend(
        others
            .into_iter()
            .map(|thread| thread.map_or(Fate::Parked, |t| t.join().unwrap())),
    );
    fates.try_into().unwrap()
}

pub(crate) const fn owned(reason: smp_stop::Reason) -> Expect {
    Expect {
        reason: Some(reason),
        owned: true,
        comes_again: false,
    }
}

/// Scenarios 3, 4, 5: a CPU comes through the gate while another stops the machine.
fn stop_vs_gate() {
    let machine = Machine::new(POLLS);
    machine.word(0).boot_cpu_online().unwrap();
    let generation = machine.word(1).begin_start().unwrap();
    let gate = move |cpu: &Cpu| {
        cpu.engine().come_online(cpu.id, generation);
        cpu.takes_interrupts(1)
    };
    let fates = run(
        &machine,
        [program(|cpu| cpu.stop(Panic)), program(gate), None],
        Trap::None,
    );
    audit(&machine, &fates, &owned(Panic));
}

/// Scenario 1, the bug all this began with: the starting CPU panics, the other one is idle.
fn panic_on_starting() {
    let machine = Machine::new(POLLS);
    machine.word(0).boot_cpu_online().unwrap();
    let _ = machine.word(1).begin_start().unwrap();
    let idle = program(|cpu| cpu.takes_interrupts(2));
    let fates = run(&machine, [idle, program(|cpu| cpu.stop(Panic)), None], Trap::None);
    audit(&machine, &fates, &owned(Panic));
}

/// A CPU is started while another stops the machine: it is asked, or it is never released.
fn start_vs_stop() {
    let machine = Machine::new(POLLS);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    let starter = machine.clone();
    let third = Arc::new(Mutex::new(Fate::Parked));
    let third_fate = third.clone();
    let start = move |cpu: &Cpu| {
        let Ok(generation) = starter.word(2).begin_start() else {
            return cpu.takes_interrupts(1);
        };
        let started = starter.cpu(2);
        let started = thread::spawn(move || {
            started.run(|cpu| {
                cpu.engine().come_online(cpu.id, generation);
                Fate::Runs
            })
        });
        let fate = cpu.takes_interrupts(1);
        *third_fate.lock().unwrap() = started.join().unwrap();
        fate
    };
    let stop = program(|cpu| cpu.stop(Panic));
    let mut fates = run(&machine, [program(start), stop, None], Trap::None);
    fates[2] = third.lock().unwrap().clone();
    audit(&machine, &fates, &owned(Panic));
}

/// CPUs leave reset together: one releases itself while the other stops the machine.
fn own_start_vs_stop() {
    let machine = Machine::new(POLLS);
    machine.word(0).boot_cpu_online().unwrap();
    let comes = program(|cpu| {
        let generation = cpu.engine().begin_own_start(cpu.id);
        cpu.engine().come_online(cpu.id, generation);
        cpu.takes_interrupts(1)
    });
    let fates = run(
        &machine,
        [program(|cpu| cpu.stop(Panic)), comes, None],
        Trap::None,
    );
    audit(&machine, &fates, &owned(Panic));
}

/// A CPU says what it panics for, and dies of the stop: its words are whole or not there for a reader at any time, and there
/// for the CPU that takes over.
fn words_of_the_dead() {
    const WORDS: &str = "out of cheese";
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    let reader = machine.clone();
    let words = move || Report::of(&reader.area).message(CpuId::BOOT);
    let panics = program(|cpu| {
        cpu.engine().set_message(&WORDS);
        cpu.stop(Panic)
    });
    let heir = program(move |cpu| {
        let early = words();
        assert!(
            early.is_none_or(|early| &*early == WORDS),
            "I4: half of the words"
        );
        let fate = cpu.takes_interrupts(1);
        if let Fate::Owns(_) = fate {
            assert_eq!(words().as_deref(), Some(WORDS), "the words of CPU 0 are lost");
        }
        fate
    });
    let fates = run(&machine, [panics, heir, None], Trap::Dies);
    let answered = !matches!(fates[1], Fate::Runs);
    let expect = Expect {
        owned: answered,
        ..owned(Panic)
    };
    audit(&machine, &fates, &expect);
}

/// Scenarios 11 and 12: everybody panics.
fn double_panic() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    let panic = || program(|cpu| cpu.stop(Panic));
    let fates = run(&machine, [panic(), panic(), None], Trap::None);
    audit(&machine, &fates, &owned(Panic));
}

/// Scenarios 13, 14, 17: a crash meets a reboot.
fn reboot_vs_crash() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    machine.bring_up(2);
    let reboot = program(|cpu| cpu.stop(Reboot));
    let crash = program(|cpu| cpu.stop(Crash));
    let idle = program(|cpu| cpu.takes_interrupts(1));
    let fates = run(&machine, [reboot, crash, idle], Trap::None);
    audit(&machine, &fates, &owned(Crash));
}

/// Scenarios 18, 21, 22: the owner fails inside the stop.
fn owner_reenters() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    let idle = program(|cpu| cpu.takes_interrupts(2));
    let fates = run(
        &machine,
        [program(|cpu| cpu.stop(Crash)), idle, None],
        Trap::Faults,
    );
    audit(&machine, &fates, &owned(Crash));
    // It may be replaced (one poll is little patience), but it never parks of its own accord (I7).
    match (&fates[0], &fates[1]) {
        (_, Fate::Owns(_)) => {}
        (Fate::Owns(account), _) => assert!(matches!(account.how, How::First | How::Reentered), "I7"),
        _ => panic!("I7: {fates:?}"),
    }
}

/// Scenario 23: the owner dies in a hook; it is replaced, once.
fn owner_dies() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    machine.bring_up(2);
    let idle = || program(|cpu| cpu.takes_interrupts(1));
    let fates = run(
        &machine,
        [program(|cpu| cpu.stop(Panic)), idle(), idle()],
        Trap::Dies,
    );
    let answered = fates[1..].iter().any(|fate| !matches!(fate, Fate::Runs));
    let expect = Expect {
        owned: answered,
        ..owned(Panic)
    };
    audit(&machine, &fates, &expect);
    let owners = fates.iter().filter(|fate| matches!(fate, Fate::Owns(_))).count();
    assert!(owners <= 1, "I2: more than one owner: {fates:?}");
    let changes = machine.area.area().hold().unwrap().generation;
    assert!(changes <= 2, "taken over more than once: {fates:?}");
}

/// Scenario 9: a CPU is on its way off.
fn offline_vs_stop() {
    let machine = Machine::new(POLLS);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    let leave = |cpu: &Cpu| {
        if cpu.word().begin_offline().is_err() {
            return cpu.takes_interrupts(1);
        }
        cpu.engine().go_off(cpu.id);
        // Off: it does nothing any more, and its word says so.
        Fate::Parked
    };
    let fates = run(
        &machine,
        [program(|cpu| cpu.stop(Panic)), program(leave), None],
        Trap::None,
    );
    audit(&machine, &fates, &owned(Panic));
}

/// Scenarios 30, 31, 46: a second signal arrives inside the handler of the first.
fn signal_twice() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    let nested = |cpu: &Cpu| {
        cpu.nested.set(true);
        cpu.takes_interrupts(2)
    };
    let fates = run(
        &machine,
        [program(|cpu| cpu.stop(Panic)), program(nested), None],
        Trap::None,
    );
    audit(&machine, &fates, &owned(Panic));
}

/// Scenario 12: all three of them panic.
fn three_panic() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    machine.bring_up(2);
    let panic = || program(|cpu| cpu.stop(Panic));
    let fates = run(&machine, [panic(), panic(), panic()], Trap::None);
    audit(&machine, &fates, &owned(Panic));
}

/// Scenarios 16, 19, 20: a stop is over, and its owner turns it into a crash; so does a CPU that did not hear of it.
fn raise_after_done() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    let twice = program(|cpu| {
        cpu.stop(Reboot);
        cpu.stop(Crash)
    });
    let fates = run(
        &machine,
        [twice, program(|cpu| cpu.stop(Crash)), None],
        Trap::None,
    );
    let expect = Expect {
        comes_again: true,
        ..owned(Crash)
    };
    audit(&machine, &fates, &expect);
}

/// Scenarios 14 and 23 in one: the owner dies, one CPU stands by for it, and another crashes at any time.
fn dies_vs_crash() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    machine.bring_up(1);
    machine.bring_up(2);
    let idle = program(|cpu| cpu.takes_interrupts(1));
    let crash = program(|cpu| cpu.stop(Crash));
    let fates = run(
        &machine,
        [program(|cpu| cpu.stop(Panic)), idle, crash],
        Trap::Dies,
    );
    let hold = machine.area.area().hold().unwrap();
    // CPU 2 may be so slow that CPU 0 takes its place, and dies in it: two failures are one too many.
    let heir_died = hold.taken_over && hold.owner.cpu() == Some(CpuId::BOOT);
    let expect = Expect {
        owned: !heir_died,
        ..owned(Crash)
    };
    audit(&machine, &fates, &expect);
    assert!(hold.generation <= 3, "raised once and taken over once: {fates:?}");
}
