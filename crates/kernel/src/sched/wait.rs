//! Bounded waits, and the timer interrupt that ends them.

use core::sync::atomic::Ordering;

use super::{block_until, in_thread, timer_expired};
use crate::arch::Arch;
use crate::inject::{self, Place};
use crate::irq::{IrqOff, TICKS};
use crate::{clock, trace};

/// Waits until `done` or until the clock reaches `deadline_ns`; whether it was `done`. A thread sleeps, and looks now and
/// then, or when it is woken. Boot code, which is no thread yet, halts its CPU: what makes `done` true must interrupt that.
pub fn wait_until<A: Arch>(deadline_ns: u64, done: impl FnMut() -> bool) -> bool {
    match in_thread::<A>() {
        true => sleep_until::<A>(deadline_ns, done),
        false => halt_until::<A>(deadline_ns, done),
    }
}

/// Does nothing for `ns`, with interrupts on.
pub fn rest<A: Arch>(ns: u64) {
    wait_until::<A>(clock::now_ns() + ns, || false);
}

/// The thread looks by itself: soon at first, then every millisecond.
fn sleep_until<A: Arch>(deadline_ns: u64, mut done: impl FnMut() -> bool) -> bool {
    const FIRST_LOOK_NS: u64 = 20_000;
    let mut pause = FIRST_LOOK_NS;
    while !done() {
        let now = clock::now_ns();
        if now >= deadline_ns {
            return false;
        }
        block_until::<A>(deadline_ns.min(now + pause));
        pause = (2 * pause).min(clock::MS);
    }
    true
}

fn halt_until<A: Arch>(deadline_ns: u64, mut done: impl FnMut() -> bool) -> bool {
    let _off = IrqOff::new();
    loop {
        if done() {
            return true;
        }
        if clock::now_ns() >= deadline_ns {
            return false;
        }
        A::set_timer(clock::cycles_at(deadline_ns));
        trace::irqs_on();
        A::wait_for_interrupt();
        trace::irqs_off();
    }
}

/// The timer interrupt, called by the vectors with interrupts off.
pub fn timer_interrupt<A: Arch>() {
    if !inject::at(Place::Timer, 0).goes() {
        return;
    }
    let off = IrqOff::new();
    TICKS.this::<A>(off.pin()).fetch_add(1, Ordering::Relaxed);
    timer_expired::<A>(&off);
}
