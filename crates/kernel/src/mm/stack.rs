//! Stacks of kernel threads, each with a page below it that faults.

use super::map::map_new_pages;
use super::{OutOfMemory, PAGE, image};
use crate::arch::Arch;
use crate::canary;

/// Bytes of a thread's stack.
pub const STACK_BYTES: usize = 16 << 10;

/// A stack: addresses only. It is never freed; a dead thread keeps its stack for the next.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    bottom: usize,
    top: usize,
}

impl Stack {
    /// A new stack in the vmap window, with the magic at its end.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn alloc<A: Arch>() -> Result<Self, OutOfMemory> {
        let bottom = map_new_pages::<A>(STACK_BYTES)?;
        // SAFETY: the pages are new, and the stack has not grown.
        unsafe { canary::set_stack_end_magic(bottom) };
        Ok(Self {
            bottom,
            top: bottom + STACK_BYTES,
        })
    }

    /// The boot CPU's first stack.
    pub fn init() -> Self {
        let bottom = image::init_stack();
        Self {
            bottom,
            top: bottom + image::INIT_STACK_BYTES,
        }
    }

    /// Lowest address.
    pub fn bottom(&self) -> usize {
        self.bottom
    }

    /// One past the highest address; stacks grow down from here.
    pub fn top(&self) -> usize {
        self.top
    }

    /// Whether `address` lies in the page below the stack.
    pub fn guards(&self, address: usize) -> bool {
        (self.bottom - PAGE..self.bottom).contains(&address)
    }
}
