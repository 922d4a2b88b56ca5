//! What a CPU does of its own accord.

use smp_stop::CpuId;

use crate::cpu::Cpu;
use crate::plan::{Act, Ns, Start, US};
use crate::world::{Body, NEVER};

/// A CPU's life, from its first instruction.
pub fn run(cpu: &Cpu<'_>) {
    let plan = &cpu.world.plan.cpus[cpu.n];
    cpu.state().begun.set(true);
    if matches!(plan.start, Start::Unasked { .. }) {
        unasked(cpu);
    }
    if let (Start::Off { .. } | Start::Unasked { .. } | Start::Starting { .. }, Some(generation)) =
        (plan.start, cpu.state().generation.get())
    {
        cpu.world.trace(cpu.n, format_args!("is at the gate"));
        // One more look before the gate: a CPU that is not awaited any more never passes it.
        cpu.pass(300);
        if !plan.acts.first().is_some_and(|act| is_early(*act)) {
            cpu.engine().come_online(CpuId::new(cpu.n as u32), generation);
            cpu.check_gate();
        }
    }
    cpu.state().irqs_on.set(true);
    for act in &plan.acts {
        perform(cpu, *act);
    }
    cpu.idle()
}

/// A CPU that the hardware starts, released or not: it waits at the door until it is let in.
fn unasked(cpu: &Cpu<'_>) {
    let state = cpu.state();
    while !state.door.enter() {
        cpu.world.trace(cpu.n, format_args!("came unasked, and waits"));
        state.body.set(Body::Waits);
        state.notes.waits_since.set(cpu.world.now());
        // Only a start gets it out of here, from the beginning.
        cpu.sleep(NEVER, false);
    }
    state.body.set(Body::Runs);
}

/// A CPU that is on its way up and stops the machine before it gets to the gate.
fn is_early(act: Act) -> bool {
    matches!(act, Act::Stop(_))
}

fn perform(cpu: &Cpu<'_>, act: Act) {
    let now = cpu.world.now();
    match act {
        Act::Work(ns) => cpu.sleep(now + ns, true),
        Act::Masked(ns) => masked(cpu, ns),
        Act::Polls(ns) => polls(cpu, ns),
        Act::Descheduled(ns) => cpu.descheduled(ns),
        Act::Deafens => cpu.state().irqs_on.set(false),
        Act::Stop(reason) => {
            cpu.world
                .trace(cpu.n, format_args!("stops the machine: {reason}"));
            cpu.stop(reason);
        }
        Act::Offline(ns) => offline(cpu, ns),
        Act::Start(n) => start(cpu, n.into()),
        Act::Revoke(n) => revoke(cpu, n.into()),
    }
}

fn masked(cpu: &Cpu<'_>, ns: Ns) {
    let was_on = cpu.state().irqs_on.replace(false);
    cpu.sleep(cpu.world.now() + ns, true);
    cpu.state().irqs_on.set(was_on);
}

/// Waits for something that never comes, with interrupts off: a rendezvous that a stop broke.
fn polls(cpu: &Cpu<'_>, ns: Ns) {
    let until = cpu.world.now() + ns;
    let was_on = cpu.state().irqs_on.replace(false);
    while cpu.world.now() < until {
        cpu.pass(5 * US);
        if let Some(stop) = cpu.engine().poll() {
            cpu.returned(&stop);
            cpu.end_of_owner();
        }
    }
    cpu.state().irqs_on.set(was_on);
}

fn offline(cpu: &Cpu<'_>, ns: Ns) {
    if cpu.world.word(cpu.n).begin_offline().is_err() {
        return;
    }
    cpu.sleep(cpu.world.now() + ns / 2, true);
    cpu.state().irqs_on.set(false);
    cpu.sleep(cpu.world.now() + ns / 2, true);
    cpu.engine().go_off(CpuId::new(cpu.n as u32));
    cpu.world.trace(cpu.n, format_args!("goes off"));
    // Said so already; where nobody can look, nothing lies between.
    if cpu.world.plan.hw_view {
        cpu.pass(2 * US);
    }
    cpu.state().body.set(Body::Off);
    cpu.idle()
}

fn start(cpu: &Cpu<'_>, n: usize) {
    let arrives_after = match cpu.world.plan.cpus[n].start {
        Start::Off { arrives_after } => arrives_after,
        Start::Unasked { .. } => Some(US),
        _ => return,
    };
    let Ok(generation) = cpu.world.word(n).begin_start() else {
        return;
    };
    let state = cpu.world.cpu(n);
    state.generation.set(Some(generation));
    // One that came unasked, and is past the door already, does not hear the release.
    let hears = state.door.open() || !state.begun.get();
    cpu.pass(300);
    cpu.world.trace(cpu.n, format_args!("starts CPU {n}"));
    if hears {
        cpu.world.release(n, arrives_after);
    }
}

fn revoke(cpu: &Cpu<'_>, n: usize) {
    if let Some(generation) = cpu.world.cpu(n).generation.get() {
        let _ = cpu.world.word(n).revoke(generation);
    }
}
