//! Machines of twelve CPUs.

use std::sync::Arc;

use shuttle::thread;
use smp_stop::Reason::{self, Crash, Panic, Reboot};

use crate::N;
use crate::audit::{Expect, audit};
use crate::machine::{Cpu, Fate, Machine, Trap};

/// One model: its name, and what runs.
pub struct Model {
    pub name: &'static str,
    pub run: fn(),
}

pub const MODELS: &[Model] = &[
    Model {
        name: "everybody_panics",
        run: everybody_panics,
    },
    Model {
        name: "reasons_rise",
        run: reasons_rise,
    },
    Model {
        name: "all_at_the_gate",
        run: all_at_the_gate,
    },
    Model {
        name: "everything_at_once",
        run: everything_at_once,
    },
    Model {
        name: "owner_dies",
        run: owner_dies,
    },
    Model {
        name: "owner_faults",
        run: owner_faults,
    },
];

/// Polls before a wait is over: in some executions all answer in time, in some nobody does.
const POLLS: u32 = 40;

/// What CPU `n` of a machine does.
type Program = Box<dyn FnOnce(&Cpu) -> Fate + Send>;

fn program(f: impl FnOnce(&Cpu) -> Fate + Send + 'static) -> Program {
    Box::new(f)
}

fn stops(reason: Reason) -> Program {
    program(move |cpu| cpu.stop(reason))
}

fn idles(looks: u32) -> Program {
    program(move |cpu| {
        for _ in 0..looks {
            match cpu.takes_interrupts(1) {
                Fate::Runs => thread::yield_now(),
                other => return other,
            }
        }
        Fate::Runs
    })
}

/// Comes through the gate, and idles.
fn arrives(machine: &Arc<Machine>, n: u32) -> Program {
    let generation = machine.word(n).begin_start().unwrap();
    program(move |cpu| {
        cpu.engine().come_online(cpu.id, generation);
        idles(20)(cpu)
    })
}

/// Takes the path off.
fn leaves() -> Program {
    program(|cpu| {
        if cpu.word().begin_offline().is_err() {
            return idles(20)(cpu);
        }
        thread::yield_now();
        cpu.engine().go_off(cpu.id);
        // Off: it does nothing any more, and its word says so.
        Fate::Parked
    })
}

/// A machine whose CPUs from 1 on are online, but for those in `starting`.
fn machine(starting: std::ops::Range<u32>) -> Arc<Machine> {
    let machine = Machine::new(POLLS);
    machine.word(0).boot_cpu_online().unwrap();
    (1..N as u32)
        .filter(|n| !starting.contains(n))
        .for_each(|n| machine.bring_up(n));
    machine
}

/// Runs each CPU's program on a thread of its own, CPU 0's with a trap.
fn run(machine: &Arc<Machine>, trap: Trap, programs: impl IntoIterator<Item = Program>) -> [Fate; N] {
    let cpus: Vec<_> = (0..)
        .zip(programs)
        .map(|(n, program)| {
            let mut cpu = machine.cpu(n);
            if n == 0 {
                cpu.trap = trap;
            }
            thread::spawn(move || cpu.run(program))
        })
        .collect();
    let fates: Vec<Fate> = cpus.into_iter().map(|cpu| cpu.join().unwrap()).collect();
    fates.try_into().unwrap()
}

const fn owned(reason: Reason) -> Expect {
    Expect {
        reason: Some(reason),
        owned: true,
        comes_again: false,
    }
}

fn everybody_panics() {
    let machine = machine(0..0);
    let fates = run(&machine, Trap::None, (0..N).map(|_| stops(Panic)));
    audit(&machine, &fates, &owned(Panic));
    // All call the stop, so all but one must have seen that they lost.
    let owners = fates.iter().filter(|fate| matches!(fate, Fate::Owns(_))).count();
    assert!((1..=2).contains(&owners), "I2: {fates:?}");
}

fn reasons_rise() {
    let machine = machine(0..0);
    let reasons = [Reboot, Panic, Crash].into_iter().cycle().take(N);
    let fates = run(&machine, Trap::None, reasons.map(stops));
    // A CPU that was asked before it called has answered by calling: its reason may not have counted.
    let expect = Expect {
        reason: None,
        ..owned(Crash)
    };
    audit(&machine, &fates, &expect);
}

fn all_at_the_gate() {
    let machine = machine(1..N as u32);
    let others: Vec<_> = (1..N as u32).map(|n| arrives(&machine, n)).collect();
    let fates = run(&machine, Trap::None, [stops(Panic)].into_iter().chain(others));
    audit(&machine, &fates, &owned(Panic));
}

/// Two stop, four idle, three come up, three leave.
fn everything_at_once() {
    let machine = machine(6..9);
    let starting: Vec<_> = (6..9).map(|n| arrives(&machine, n)).collect();
    let programs = [stops(Reboot), stops(Crash)]
        .into_iter()
        .chain((2..6).map(|_| idles(20)))
        .chain(starting)
        .chain((9..N).map(|_| leaves()));
    let fates = run(&machine, Trap::None, programs);
    audit(&machine, &fates, &owned(Crash));
}

fn owner_dies() {
    let machine = machine(0..0);
    let others = (1..N).map(|_| idles(20));
    let fates = run(&machine, Trap::Dies, [stops(Panic)].into_iter().chain(others));
    let answered = fates[1..].iter().any(|fate| !matches!(fate, Fate::Runs));
    let expect = Expect {
        owned: answered,
        ..owned(Panic)
    };
    audit(&machine, &fates, &expect);
    let owners = fates.iter().filter(|fate| matches!(fate, Fate::Owns(_))).count();
    assert!(owners <= 1, "I2: more than one owner: {fates:?}");
}

fn owner_faults() {
    let machine = machine(0..0);
    let others = (1..N).map(|_| idles(20));
    let fates = run(&machine, Trap::Faults, [stops(Crash)].into_iter().chain(others));
    audit(&machine, &fates, &owned(Crash));
}
