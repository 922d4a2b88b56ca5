//! Loom's atomics, in two manners of reading. For tests only (feature `loom`).
//!
//! Loom leaves out orders of events that make no difference. To find those that do, it remembers for each atomic the last
//! access only, so that a CPU's own read hides an earlier read by another CPU from the write that follows: after "A reads,
//! B reads, B writes" it does not try "B writes, A reads". Compare-exchange loops are just that. With [`Reads::Ordered`]
//! a read takes part as a read-modify-write that changes nothing, and no order is left out; with [`Reads::Weak`] reads may
//! return old values as the memory model allows. A model is to be run both ways.

extern crate std;

use std::cell::Cell;
use std::thread_local;

use loom::sync::atomic::Ordering;

/// How loads are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Sequentially consistent, all orders.
    Ordered,
    /// As the memory model allows, most orders.
    Weak,
}

thread_local! {
    static READS: Cell<Reads> = const { Cell::new(Reads::Weak) };
}

/// Chooses, for all that a model checker runs on the calling thread.
pub fn choose(reads: Reads) {
    READS.set(reads);
}

/// Loom's, with a choice of reads.
#[derive(Debug)]
pub(crate) struct AtomicU32(loom::sync::atomic::AtomicU32);

impl AtomicU32 {
    pub(crate) fn new(value: u32) -> Self {
        Self(loom::sync::atomic::AtomicU32::new(value))
    }

    pub(crate) fn load(&self, ordering: Ordering) -> u32 {
        match READS.get() {
            Reads::Ordered => self.0.fetch_or(0, Ordering::AcqRel),
            Reads::Weak => self.0.load(ordering),
        }
    }

    pub(crate) fn store(&self, value: u32, ordering: Ordering) {
        match READS.get() {
            // Mixed with read-modify-writes that are none in the code, a plain store would have no place in the order.
            Reads::Ordered => drop(self.0.swap(value, Ordering::AcqRel)),
            Reads::Weak => self.0.store(value, ordering),
        }
    }

    pub(crate) fn swap(&self, value: u32, ordering: Ordering) -> u32 {
        self.0.swap(value, ordering)
    }

    pub(crate) fn fetch_max(&self, value: u32, ordering: Ordering) -> u32 {
        self.0.fetch_max(value, ordering)
    }

    pub(crate) fn compare_exchange(
        &self,
        old: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        self.0.compare_exchange(old, new, success, failure)
    }
}
