//! Kernel threads.

/// Kernel threads.
pub trait ThreadOps {
    /// Lays out a new stack so that [`Self::switch`] to the returned stack pointer calls `entry(arg)` with interrupts
    /// off, a zero frame pointer and a return address of zero (both end a backtrace of the kernel's own).
    ///
    /// # Safety
    /// `top` is the 16-byte-aligned end of a writable stack nobody uses.
    unsafe fn prepare_stack(top: usize, entry: extern "C" fn(usize) -> !, arg: usize) -> usize;

    /// Saves callee-saved state on the running stack, stores the stack pointer to `prev`, makes `canary` this CPU's
    /// stack canary where the ABI has one per CPU, and continues at `next`. Returns when somebody switches back.
    ///
    /// # Safety
    /// `next` came from [`Self::prepare_stack`] or an earlier switch and is switched to once. Interrupts are off.
    unsafe fn switch(prev: *mut usize, next: usize, canary: usize);

    /// Sets the canary the compiler's stack protector compares with on this CPU (all CPUs, where it is one global).
    ///
    /// # Safety
    /// No caller up the stack may return through a check of the old value.
    unsafe fn set_canary(canary: usize);

    /// The frame pointer of the caller: address of (saved frame pointer, return address).
    fn frame_pointer() -> usize;

    /// Tells a debugger, in the tables that it reads, that the caller is the outermost function of its stack. No instruction;
    /// inlined, and before any call.
    fn is_outermost();
}
