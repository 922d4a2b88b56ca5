//! The counter and the timer.

/// The free-running counter and the executing CPU's one-shot timer.
pub trait TimeOps {
    /// The counter: starts at or before the kernel's entry, the same on all CPUs up to a few hundred cycles.
    fn cycles() -> u64;

    /// Counter frequency in Hz when it is known without measuring; else `None`, and [`Self::calibrate`] is called later.
    fn known_hz() -> Option<u64>;

    /// Measures the counter (and the timer, where it has a clock of its own) against a reference. Boot CPU, once,
    /// interrupts off; takes some milliseconds at most.
    ///
    /// # Errors
    /// A sentence when no reference clock answered.
    fn calibrate() -> Result<u64, &'static str>;

    /// Sets up the executing CPU's timer, silent.
    fn init_timer();

    /// One interrupt as soon as the counter has reached `at`, which may lie in the past. Replaces an earlier call. May
    /// fire early (a timer narrower than the counter); the handler looks at the clock and asks again.
    fn set_timer(at: u64);
}
