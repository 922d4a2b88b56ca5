//! CPUs that come too late, under an old start, or without having been asked.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use smp_stop::Reason::{Panic, Reboot};
use smp_stop::{CpuState, Door, Generation, Why};

use crate::audit::audit;
use crate::machine::{Cpu, Fate, Machine, Trap};
use crate::models::{POLLS, owned, program, run};

/// Scenarios 6 and 7: a start is given up, and the CPU comes all the same; a stop on top.
pub fn late_arrival() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    let generation = machine.word(1).begin_start().unwrap();
    let boss = machine.clone();
    let give_up = move |cpu: &Cpu| {
        let _ = boss.word(1).revoke(generation);
        cpu.stop(Reboot)
    };
    let late = move |cpu: &Cpu| {
        cpu.engine().come_online(cpu.id, generation);
        cpu.takes_interrupts(1)
    };
    let fates = run(&machine, [program(give_up), program(late), None], Trap::None);
    audit(&machine, &fates, &owned(Reboot));
}

/// A start was refused by the firmware, which starts the CPU all the same; by then there is a second start.
pub fn stale_arrival() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    let first = machine.word(1).begin_start().unwrap();
    machine.word(1).cancel_start(first).unwrap();
    let second = machine.word(1).begin_start().unwrap();
    let arrives = |generation| {
        let cpu = machine.cpu(1);
        thread::spawn(move || {
            cpu.run(|cpu| {
                cpu.engine().come_online(cpu.id, generation);
                Fate::Runs
            })
        })
    };
    let (stale, awaited) = (arrives(first), arrives(second));
    let (stale, awaited) = (stale.join().unwrap(), awaited.join().unwrap());
    assert!(matches!(stale, Fate::Parked), "the gate let an old start through");
    assert!(matches!(awaited, Fate::Runs), "the gate refused whom it awaited");
}

/// What CPU 1 does when the hardware starts it: through the door, and on to the gate.
fn comes(cpu: &Cpu, door: &Door, generation: impl Fn() -> Generation) -> Fate {
    if !door.enter() {
        return Fate::Waits;
    }
    cpu.engine().come_online(cpu.id, generation());
    Fate::Runs
}

/// Scenario 57: CPU 1 comes unasked, at any time, and is released. Whichever is first, it is online in the end, once: it hears
/// the release, or its starter hears of it and has it start anew.
pub fn unasked_arrival() {
    let machine = Machine::new(1);
    machine.word(0).boot_cpu_online().unwrap();
    // As in a boot block: the generation is there before the door is open.
    let (door, generation) = (Arc::new(Door::new()), Arc::new(AtomicU32::new(0)));
    let hardware_starts = || {
        let (cpu, door, generation) = (machine.cpu(1), door.clone(), generation.clone());
        let number = move || Generation::from_raw(generation.load(Ordering::Relaxed));
        thread::spawn(move || cpu.run(|cpu| comes(cpu, &door, number)))
    };
    let unasked = hardware_starts();
    let begun = machine
        .word(1)
        .begin_start()
        .expect("a CPU that came unasked can be started");
    generation.store(begun.get(), Ordering::Relaxed);
    let early = door.open();
    // INIT, or power off and on: what it did before is over. A release alone does nothing to a CPU that runs already.
    let again = early.then(&hardware_starts);
    let fates = [Some(unasked), again].map(|cpu| cpu.map(|cpu| cpu.join().unwrap()));
    let online = fates.iter().flatten().filter(|fate| matches!(fate, Fate::Runs));
    assert_eq!(online.count(), 1, "lost, or there twice: {fates:?}");
    assert_eq!(machine.word(1).state(), CpuState::Online);
}

/// The same without a door, and a stop comes: the CPU is at the gate while its word says OFF. It parks, can be started yet,
/// and the account names it where the hardware shows it.
pub fn unasked_vs_stop() {
    let machine = Machine::new(POLLS);
    machine.word(0).boot_cpu_online().unwrap();
    let never = Generation::from_raw(0);
    let unasked = move |cpu: &Cpu| {
        cpu.machine().sees_on(1);
        cpu.engine().come_online(cpu.id, never);
        Fate::Runs
    };
    let boss = machine.clone();
    let stop = move |cpu: &Cpu| {
        // A moment at which CPU 1 may come first.
        let _ = boss.word(1).state();
        let seen = boss.is_on(1);
        let fate = cpu.stop(Panic);
        if let (true, Fate::Owns(account)) = (seen, &fate) {
            let row = &account.rows[1];
            assert_eq!(row.silent, Some(Why::Unasked), "I1: CPU 1 is on, and {row:?}");
        }
        fate
    };
    let fates = run(&machine, [program(stop), program(unasked), None], Trap::None);
    assert!(
        matches!(fates[1], Fate::Parked),
        "the gate let a CPU through: {fates:?}"
    );
    let word = machine.word(1).view();
    assert_eq!(word.state, CpuState::Off, "it can never be started again");
    audit(&machine, &fates, &owned(Panic));
}
