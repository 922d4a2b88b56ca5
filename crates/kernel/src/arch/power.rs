//! The ends of a machine.

use super::InStep;

/// A way to reset the machine, or to turn it off.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// As in the log; `reboot=` knows it by its first letter, which is Linux's. Eight bytes at most.
    pub name: &'static str,
    /// Whether this machine has it, as far as can be told: one that it lacks is neither announced nor tried.
    pub is_there: fn() -> bool,
    /// Tries it.
    pub go: Go,
}

/// For a [`Way`] of which only trying tells whether the machine has it.
pub const fn perhaps() -> bool {
    true
}

/// What a [`Way`] needs. All of these return if nothing came of it, after a bounded wait.
#[derive(Clone, Copy, Debug)]
pub enum Go {
    /// Nothing.
    Direct(fn()),
    /// To leave the kernel's root table for a shadow of it, which must be in step.
    OnShadow(fn(&InStep)),
}

/// The ends of a machine's life.
pub trait PowerOps {
    /// The ways to reset the machine, in the order in which they are tried.
    fn resets() -> &'static [Way];

    /// The ways to turn it off, likewise.
    fn power_offs() -> &'static [Way];

    /// Writes `len` bytes at `va` back to memory, so that they outlive a reset of the caches. Nothing to do where a reset
    /// leaves them coherent.
    fn write_back(va: usize, len: usize);

    /// Nothing is left to be done: waits with interrupts off, for ever.
    fn halt() -> !;

    /// Executes an instruction that no CPU defines.
    fn undefined_instruction();

    /// What [`Self::die`] is called among the ways to reset the machine.
    const DEATH: &'static str;

    /// Resets or hangs the machine without a word, as a fault no handler can take does: the last resort of a kernel that
    /// fails whatever it does, and for the runner's own tests.
    fn die() -> !;

    /// Takes the executing CPU's vectors away and raises an exception: the machine is reset or the CPU takes exceptions for
    /// ever, without a word. For the same tests.
    fn lose_vectors();
}
