//! Exceptions: the vectors, and what each leads to.

mod esr;
mod frame;
mod handlers;
pub mod probe;

use core::arch::global_asm;
use core::mem::offset_of;

pub use self::esr::Esr;
pub use self::frame::Frame;
use crate::percpu::{OVERFLOW, OVERFLOW_STACK, OVERFLOW_TOP};

global_asm!(
    include_str!("vectors.s"),
    FRAME_SIZE = const size_of::<Frame>(),
    FRAME_LR = const offset_of!(Frame, x) + 30 * 8,
    FRAME_SP = const offset_of!(Frame, sp),
    FRAME_PC = const offset_of!(Frame, pc),
    FRAME_RECORD = const offset_of!(Frame, record),
    FRAME_ESR = const offset_of!(Frame, esr),
    OVERFLOW = sym OVERFLOW,
    OVERFLOW_STACK = const OVERFLOW_STACK,
    OVERFLOW_TOP = const OVERFLOW_TOP,
    // The stack itself and the page below it; an immediate of `cmp`, hence a multiple of 4 KiB.
    OVERFLOW_REACH = const OVERFLOW_STACK + 4096,
);
