//! What the traits say about memory.

use core::fmt;
use core::marker::PhantomData;

use paging::MapError;

/// Proof that all shadow roots agree with the kernel's root now, and that no top-level entry changes while it is borrowed. Made
/// by the memory manager alone, which has compared them just before.
#[derive(Debug)]
pub struct InStep {
    /// It is of no use on another CPU.
    not_send_not_sync: PhantomData<*mut ()>,
}

impl InStep {
    /// To be lent out by `mm::resync` where it is true.
    pub(crate) const fn proven() -> Self {
        Self {
            not_send_not_sync: PhantomData,
        }
    }
}

/// There is no memory left, or no address space for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of memory")
    }
}

impl core::error::Error for OutOfMemory {}

impl From<MapError> for OutOfMemory {
    /// Of the reasons the mapper has, only the lack of a page for a table can meet fresh addresses in the vmap window.
    fn from(_: MapError) -> Self {
        Self
    }
}
