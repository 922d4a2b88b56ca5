//! The side of the CPU that leaves.

use core::sync::atomic::{AtomicU32, Ordering};

use ::trace::Event;

use super::{LET_GO_NS, Refusal, arrived};
use crate::account::STOP;
use crate::arch::Arch;
use crate::cpu::{self, ACTIVE, CpuId, ONLINE};
use crate::inject::{self, Place};
use crate::irq::IrqOff;
use crate::sched::smp::kick;
use crate::stop::{Engine, Machine, Stopped};
use crate::{clock, panic, phase, sched, trace};

/// Who is asked: the CPU's number plus one, or 0 for nobody; and [`GRANTED`], once it has begun.
static REQUEST: AtomicU32 = AtomicU32::new(0);
const GRANTED: u32 = 1 << 31;

fn asked(cpu: CpuId) -> u32 {
    cpu.as_u32() + 1
}

/// The request changes from `from` to `to`: either its CPU grants it, or it is withdrawn.
fn change(from: u32, to: u32) -> bool {
    REQUEST
        .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
        .is_ok()
}

/// Asks `cpu` to leave and waits until it has begun to, from where it does not turn back.
pub(super) fn ask<A: Arch>(cpu: CpuId) -> Result<(), Refusal> {
    /// How often a CPU whose thread may not be preempted just then is interrupted again.
    const AGAIN_NS: u64 = 10 * clock::MS;
    {
        // One step, or this thread could be preempted between: on that very CPU, which would not know why to idle.
        let _off = IrqOff::new();
        sched::smp::prefer_idle(cpu, true);
        REQUEST.store(asked(cpu), Ordering::Release);
    }
    let (deadline, granted) = (clock::now_ns() + LET_GO_NS, || {
        REQUEST.load(Ordering::Acquire) & GRANTED != 0
    });
    while clock::now_ns() < deadline && !granted() {
        kick::<A>(cpu);
        sched::wait_until::<A>(clock::now_ns() + AGAIN_NS, granted);
    }
    let _off = IrqOff::new();
    if !change(asked(cpu), 0) {
        // Granted: nobody changes it any more.
        REQUEST.store(0, Ordering::Release);
        return Ok(());
    }
    sched::smp::prefer_idle(cpu, false);
    kick::<A>(cpu);
    Err("it does not let go of its thread: interrupts off, or a loop in a handler; it stays online")
}

/// Leaves, if the executing CPU has been asked to. Called by its idle thread, with interrupts off.
pub(crate) fn leave_if_asked<A: Arch>(off: &IrqOff) {
    if REQUEST.load(Ordering::Relaxed) == 0 {
        return;
    }
    let me = cpu::id::<A>(off.pin());
    if change(asked(me), asked(me) | GRANTED) {
        leave::<A>(me)
    }
}

/// The way off. A stop that comes meanwhile finds the CPU online, with interrupts off, or DYING; it is told at the next change
/// of the word, and parks.
fn leave<A: Arch>(me: CpuId) -> ! {
    sched::smp::move_away::<A>(me, &ACTIVE.snapshot());
    ONLINE.clear(me);
    phase::set(me, &"going off");
    inject::at(Place::Leaving, 0);
    let machine = Machine::<A>::new(None);
    let engine = Engine::<A>::new(&STOP, &machine);
    if cpu::word(me).begin_offline().is_err()
        && let Some(stop) = engine.poll()
    {
        panic::took_over::<A>(&Stopped::from(&stop));
    }
    trace::of::<A>(me, Event::Dying);
    inject::at(Place::Dying, 0);
    arrived::<A>();
    A::quiesce();
    trace::of::<A>(me, Event::Off);
    // From OFF on somebody may start this CPU anew, on this very stack. The start begins by taking the CPU out of whatever it
    // executes, and until then nobody else touches the stack or the area: what is left of the way to the park page is safe.
    engine.go_off(me);
    inject::at(Place::Gone, 0);
    A::park()
}
