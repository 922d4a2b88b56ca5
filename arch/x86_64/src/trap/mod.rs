//! Exceptions and interrupts: the vectors, the frame they save, the table that leads to them.

mod frame;
mod idt;

use core::arch::global_asm;

use arch_x86::vectors;

use crate::X8664;
use crate::tables::EXCEPTION_STACK;
pub(crate) use frame::TrapFrame;
pub(crate) use idt::{init, load};

global_asm!(
    include_str!("vectors.s"),
    with_error_code = const vectors::WITH_ERROR_CODE,
    nmi_stack = const EXCEPTION_STACK,
    trap_entry = sym trap_entry,
    options(att_syntax),
);

unsafe extern "C" {
    /// Entry code for vector `n` at `n *` [`VECTOR_BYTES`].
    static trap_vectors: u8;
    /// Entry code of the NMI, on its own stack.
    static nmi_entry: u8;
}

/// Distance between the entry codes of two vectors, as in `vectors.s`.
const VECTOR_BYTES: usize = 16;

/// Called by the vectors with interrupts off.
extern "C" fn trap_entry(frame: &TrapFrame) {
    arch_x86::trap::dispatch::<X8664>(frame);
}
