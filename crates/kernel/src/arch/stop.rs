//! Standing still.

use smp_stop::Registers;

/// What a CPU does to stand still. None of these may take a lock, allocate, print, or need a per-CPU base: each may run in
/// a handler that broke into anything, and again inside itself.
pub trait StopOps {
    /// Writes the registers of the caller, for a CPU that stops of its own accord: at least program counter, stack and
    /// frame pointer of the calling function.
    fn save_regs(out: &mut Registers);

    /// Called in each turn of a wait for other CPUs, with interrupts off. Lets them run where they share a core, or an
    /// emulator's thread.
    fn relax();

    /// Caches and the local interrupt controller in order: the last thing before the CPU says that it stands still.
    fn quiesce();

    /// The park loop: interrupts off, for ever, in code that lies in a page of its own and stores nowhere. A non-maskable
    /// interrupt comes back to it.
    fn park() -> !;
}
