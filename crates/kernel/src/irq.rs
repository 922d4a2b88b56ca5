//! Interrupts of the executing CPU: guards, and locks that keep them off.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lock_api::GuardNoSend;
use percpu::Pin;

use crate::{hooks, trace};

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
