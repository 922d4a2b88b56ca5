//! The timer's interrupt, seen once before anything relies on it: a CPU that sleeps until a deadline (I8) wakes by it alone.
//!
//! A controller at a wrong address, a line that firmware describes wrongly, a timer that an emulator does not have: none of
//! them fails where it is set up. The first wait would not end, and nothing would say so.

use core::sync::atomic::Ordering;

use crate::arch::Arch;
use crate::clock::{self, MS, POLLS_PER_SECOND};
use crate::cpu::{BOOT_CPU, CpuId, ONLINE};
use crate::irq::TICKS;
use crate::{sched, trace, warning};

/// How long an interrupt may take that is due at once. It is there within microseconds; but an emulator's timers are another
/// thread's business, and that may not have a core.
const PATIENCE_NS: u64 = 2_000 * MS;
/// Polls that take as long: a poll reads the counter, which takes more than sixteen cycles.
const POLLS: u64 = POLLS_PER_SECOND / 16 * 2;

/// Takes one timer interrupt on the boot CPU. Interrupts are off, before and after.
///
/// # Panics
/// When none comes within [`PATIENCE_NS`], or within [`POLLS`] should the counter stand still.
pub(crate) fn see_first<A: Arch>() {
    let start = clock::cycles();
    let bound = clock::hz() / 1000 * (PATIENCE_NS / MS);
    let is_over = |poll: u64| poll >= POLLS || clock::cycles().wrapping_sub(start) > bound;
    A::set_timer(start);
    trace::irqs_on();
    A::irq_enable();
    let mut polls = 0;
    while !has_ticked(BOOT_CPU) && !is_over(polls) {
        polls += 1;
        core::hint::spin_loop();
    }
    A::irq_save();
    trace::irqs_off();
    if !has_ticked(BOOT_CPU) {
        panic!(
            "clock: the timer's interrupt does not arrive: it was due {} ms ago",
            PATIENCE_NS / MS
        );
    }
}

/// Asks for one timer interrupt on the executing CPU, which has come online. Interrupts are off.
#[cfg_attr(
    not(feature = "smp"),
    expect(dead_code, reason = "the only CPU waits for its own")
)]
pub(crate) fn ask<A: Arch>() {
    A::set_timer(clock::cycles());
}

/// Names the CPUs that did not take the one they asked for. Called by a thread, which waits for them.
pub(crate) fn see_all<A: Arch>() {
    let silent = || ONLINE.snapshot().iter().find(|cpu| !has_ticked(*cpu));
    if sched::wait_until::<A>(clock::now_ns() + PATIENCE_NS, || silent().is_none()) {
        return;
    }
    for cpu in ONLINE.snapshot().iter().filter(|cpu| !has_ticked(*cpu)) {
        warning!(
            "clock: the timer's interrupt does not arrive on CPU {cpu}: what sleeps there is not woken by time"
        );
    }
}

fn has_ticked(cpu: CpuId) -> bool {
    TICKS
        .remote(cpu.as_usize())
        .is_some_and(|ticks| ticks.load(Ordering::Acquire) > 0)
}
