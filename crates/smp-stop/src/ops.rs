//! What the engine asks of an architecture, or of whatever stands in for one.

use cpumask::CpuId;

use crate::regs::Registers;

/// What any build asks, with one CPU or many. No method may take a lock, allocate, print, or need a per-CPU base (I6):
/// each may run on a CPU that has none, in a handler that broke into anything, and again inside itself.
pub trait StopOps {
    /// Turns the executing CPU's maskable interrupts off, for good. The first call of every entry into the engine: what
    /// comes after it cannot be moved to another CPU.
    fn mask_interrupts(&self);

    /// The executing CPU's number; `None` if its hardware id is in no table. Called with interrupts off. Must find out
    /// from the hardware where the per-CPU base may not be set yet.
    fn this_cpu(&self) -> Option<CpuId>;

    /// What the hardware calls the executing CPU.
    fn hw_id(&self) -> u64;

    /// Nanoseconds by a clock that should not step back. It may stand still (it does until it is calibrated) or step:
    /// the engine bounds its waits by polls, too.
    fn now(&self) -> u64;

    /// Called in each turn of a wait: `pause`, `yield`.
    fn relax(&self);

    /// Writes the executing CPU's registers: those of the code that was interrupted, where a handler has them, else those
    /// of the caller. Called at most once per CPU. Should it fault, the fault's handler calls [`stop`] and the CPU is
    /// reported without registers.
    ///
    /// [`stop`]: crate::up::Engine::stop
    fn save_regs(&self, out: &mut Registers);

    /// What must be in order before a CPU may be taken for stopped: caches written back, local interrupt controller quiet.
    /// The last hook before the acknowledgement.
    fn quiesce(&self);

    /// The park loop, entered after the acknowledgement: interrupts off, for ever, or power off. Stores nowhere and runs
    /// nothing but its own page, which lies outside of memory that anybody may reuse (I3); a non-maskable interrupt must
    /// come back to it.
    fn park(&self) -> !;

    /// Called where the engine gets to `at`. For fault injection and simulators; by default it does nothing and costs
    /// nothing.
    #[inline(always)]
    fn point(&self, _at: Point) {}
}

/// A place in the engine: where a fault can be staged, or a simulator let another CPU run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// On a new owner, before anybody was asked.
    Elected,
    /// On the owner: this CPU's word now says that it is asked, or off for good.
    Asked(CpuId),
    /// On the owner, just before the signal of this rung.
    Signalling(usize),
    /// On the owner, just after it.
    Signalled(usize),
    /// On the owner: all that will answer has, nobody stands by any more.
    Released,
    /// On the owner, before the result becomes final.
    Finishing,
    /// On a CPU that answers: its word says so.
    Answering,
    /// On a CPU that answers: its registers are saved.
    RegistersSaved,
    /// On the CPU that stands by, in each turn of its wait.
    StandingBy,
    /// On a CPU that answers, before its acknowledgement.
    Acknowledging,
}
