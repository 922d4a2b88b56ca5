//! The account: what each CPU is, by its own word, and what became of it in a stop. At the bottom of the house, because every
//! module that asks for a CPU's state asks here.

use percpu::MAX_AREAS;

smp_stop::stop_area! {
    /// Every CPU's state word, and what came of a stop. Has a section of its own, so that a debugger, the host and a next
    /// kernel find it when the console is dead.
    pub static STOP: MAX_AREAS;
}
