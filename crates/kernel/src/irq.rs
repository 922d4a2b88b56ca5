//! Interrupts of the executing CPU: guards, locks that keep them off, and bounded waits.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lock_api::GuardNoSend;
use percpu::Pin;

use crate::arch::Arch;
use crate::inject::{self, Place};
use crate::{clock, hooks, sched, trace};

percpu::percpu! {
    /// Timer interrupts this CPU took.
    pub static TICKS: AtomicUsize = AtomicUsize::new(0);
    /// Signals from other CPUs this CPU took.
    pub static IPIS: AtomicUsize = AtomicUsize::new(0);
}

/// Interrupts are off for as long as this lives, so the holder stays on its CPU.
#[derive(Debug)]
pub struct IrqOff {
    was_on: bool,
    pin: Pin,
}

impl IrqOff {
    /// Turns them off.
    pub fn new() -> Self {
        let was_on = irq_save();
        // SAFETY: nothing can move a thread off a CPU that takes no interrupt, as long as the thread does not itself
        // give the CPU away, and the scheduler refuses to be called with this guard alive (it takes its own).
        let pin = unsafe { Pin::new() };
        Self { was_on, pin }
    }

    /// The proof per-CPU variables ask for.
    pub fn pin(&self) -> &Pin {
        &self.pin
    }
}

impl Drop for IrqOff {
    fn drop(&mut self) {
        irq_restore(self.was_on);
    }
}

impl Default for IrqOff {
    fn default() -> Self {
        Self::new()
    }
}

/// A spin lock that keeps interrupts off while it is held, so that an interrupt handler may take it too.
pub struct RawIrqLock {
    spin: spin::mutex::SpinMutex<()>,
    was_on: AtomicBool,
}

// SAFETY: exclusion is that of the spin mutex inside; `was_on` is only touched by the holder.
unsafe impl lock_api::RawMutex for RawIrqLock {
    const INIT: Self = Self {
        spin: spin::mutex::SpinMutex::new(()),
        was_on: AtomicBool::new(false),
    };

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        let was_on = irq_save();
        lock_api::RawMutex::lock(&self.spin);
        self.was_on.store(was_on, Ordering::Relaxed);
    }

    fn try_lock(&self) -> bool {
        let was_on = irq_save();
        let locked = lock_api::RawMutex::try_lock(&self.spin);
        match locked {
            true => self.was_on.store(was_on, Ordering::Relaxed),
            false => irq_restore(was_on),
        }
        locked
    }

    unsafe fn unlock(&self) {
        let was_on = self.was_on.load(Ordering::Relaxed);
        // SAFETY: the caller holds the lock.
        unsafe { lock_api::RawMutex::unlock(&self.spin) };
        irq_restore(was_on);
    }
}

fn irq_save() -> bool {
    let was_on = hooks::get().is_some_and(|h| (h.irq_save)());
    if was_on {
        trace::irqs_off();
    }
    was_on
}

fn irq_restore(was_on: bool) {
    if was_on {
        trace::irqs_on();
    }
    if let Some(hooks) = hooks::get() {
        (hooks.irq_restore)(was_on);
    }
}

/// The kernel's lock: exclusion between CPUs, and against interrupts on this one.
pub type Lock<T> = lock_api::Mutex<RawIrqLock, T>;

/// Waits until `done` or until the clock reaches `deadline_ns`; whether it was `done`. A thread sleeps, and looks now and
/// then, or when it is woken. Boot code, which is no thread yet, halts its CPU: whoever makes `done` true must interrupt that.
pub fn wait_until<A: Arch>(deadline_ns: u64, done: impl FnMut() -> bool) -> bool {
    match sched::in_thread::<A>() {
        true => sched::wait_until::<A>(deadline_ns, done),
        false => halt_until::<A>(deadline_ns, done),
    }
}

/// Does nothing for `ns`, with interrupts on.
pub fn rest<A: Arch>(ns: u64) {
    wait_until::<A>(clock::now_ns() + ns, || false);
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
    inject::at(Place::Timer, 0);
    let off = IrqOff::new();
    TICKS.this::<A>(off.pin()).fetch_add(1, Ordering::Relaxed);
    sched::timer_expired::<A>(&off);
}

/// Polls that take at least a second on any machine: the bound behind a wait by the clock, should the clock stand still.
pub(crate) const POLLS_PER_SECOND: u64 = 1 << 32;
