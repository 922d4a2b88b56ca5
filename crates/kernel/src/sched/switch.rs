//! From one thread to the next: who comes, where the one that leaves is filed, and the change of stacks.

use core::ptr;
use core::sync::atomic::Ordering;

use ::trace::Event;

use super::{CURRENT, RESCHED, RUNQ, RunQueue, State, TURN_NS, Thread, current, set_timer};
use crate::arch::Arch;
use crate::irq::IrqOff;
use crate::{clock, trace};

/// Leaves the CPU to somebody else, as `state` says.
pub(super) fn leave<A: Arch>(state: State) {
    let off = IrqOff::new();
    switch_away::<A>(&off, state);
}

/// Picks the next thread and switches to it; returns when the caller runs again. The caller's state becomes `state`,
/// except that a pending wake-up keeps it running.
pub(super) fn switch_away<A: Arch>(off: &IrqOff, state: State) {
    let Some(prev) = current::<A>() else { return };
    let Some(next) = pick_next::<A>(off, prev, state) else {
        return;
    };
    if !prev.stack_intact() {
        panic!("stack of {prev:?} has overflowed: the magic at its end is gone");
    }
    next.switches.fetch_add(1, Ordering::Relaxed);
    trace::here::<A>(Event::Switch { thread: next.id });
    CURRENT.store::<A>(off.pin(), ptr::from_ref(next).expose_provenance());
    // SAFETY: `next` was taken from the queue of this CPU, so nobody else switches to it; interrupts are off.
    unsafe { A::switch(prev.sp.get(), *next.sp.get(), next.canary()) };
    finish_switch::<A>();
}

/// Under the queue's lock: files `prev` and takes the next. `None` if `prev` simply goes on.
fn pick_next<A: Arch>(off: &IrqOff, prev: &'static Thread, state: State) -> Option<&'static Thread> {
    let now = clock::now_ns();
    let mut queue = RUNQ.this::<A>(off.pin()).lock();
    RESCHED.this::<A>(off.pin()).store(false, Ordering::Relaxed);
    queue.wake_due(now);
    let is_idle = queue.idle.is_some_and(|idle| ptr::eq(idle, prev));
    let goes_on = file(&mut queue, prev, state, is_idle, now);
    let next = queue.next().or(if goes_on { None } else { queue.idle });
    let Some(next) = next.filter(|n| !ptr::eq(*n, prev)) else {
        prev.set_state(State::Running);
        set_timer::<A>(&queue);
        return None;
    };
    next.set_state(State::Running);
    queue.turn_ends = now + TURN_NS;
    set_timer::<A>(&queue);
    Some(next)
}

/// Puts the thread that leaves where it belongs. Whether it could as well go on.
fn file(queue: &mut RunQueue, prev: &'static Thread, state: State, is_idle: bool, now: u64) -> bool {
    match state {
        State::Blocked if prev.wake_pending.swap(0, Ordering::Relaxed) != 0 => {
            prev.wake_at.store(u64::MAX, Ordering::Relaxed);
            if queue.wants_cpu() {
                queue.enqueue(prev);
            }
            true
        }
        State::Blocked => {
            prev.set_state(State::Blocked);
            match prev.wake_at.load(Ordering::Relaxed) {
                u64::MAX => {}
                at if at <= now => queue.enqueue(prev),
                _ => queue.sleepers.push(prev),
            }
            false
        }
        State::Dead => {
            queue.reap = Some(prev);
            false
        }
        State::Ready | State::Running => {
            if !is_idle && queue.wants_cpu() {
                queue.enqueue(prev);
            }
            true
        }
    }
}

/// On the new thread's stack: the one before it, if dead, is now really off its own.
pub(super) fn finish_switch<A: Arch>() {
    let off = IrqOff::new();
    let dead = RUNQ.this::<A>(off.pin()).lock().reap.take();
    if let Some(dead) = dead {
        dead.set_state(State::Dead);
    }
}
