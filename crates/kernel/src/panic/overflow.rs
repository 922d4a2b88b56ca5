//! Whose stack ran into its guard page.

use core::fmt;

use crate::arch::Arch;
use crate::mm::Stack;
use crate::sched;

/// Whose stack overflowed.
pub enum StackOwner {
    /// A thread's.
    Thread(&'static sched::Thread),
    /// The boot CPU's first stack.
    Boot,
}

impl fmt::Display for StackOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(thread) => write!(f, "{thread:?}"),
            Self::Boot => f.write_str("the boot stack"),
        }
    }
}

/// Whose guard page `address` lies in: the running thread's, or the boot stack's. Takes no lock.
pub fn guard_page_owner<A: Arch>(address: usize) -> Option<StackOwner> {
    match sched::current::<A>() {
        Some(thread) if thread.stack().guards(address) => Some(StackOwner::Thread(thread)),
        _ if Stack::init().guards(address) => Some(StackOwner::Boot),
        _ => None,
    }
}
