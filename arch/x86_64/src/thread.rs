//! Switching between kernel threads.

use core::arch::{asm, naked_asm};

use crate::per_cpu::CANARY;

/// Words [`switch`] saves beside the return address, in the order it pops them: r15, r14, r13, r12, rbx, rbp.
const SAVED: usize = 6;

/// See [`kernel::arch::ThreadOps::switch`].
///
/// The canary changes together with the stack, between two instructions of a function that has no canary of its own: a
/// frame that was entered under one value is left under it.
///
/// # Safety
/// As there.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn switch(prev: *mut usize, next: usize, canary: usize) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "mov gs:[{canary}], rdx",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        canary = const CANARY,
    )
}

/// Where a new thread's first switch returns to: calls what `prepare_stack` left in rbx and r12, with a return address of
/// zero. The stack is 16-byte aligned here, so after the push it is as behind a call.
#[unsafe(naked)]
unsafe extern "C" fn start() -> ! {
    naked_asm!(
        ".cfi_sections .debug_frame",
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov rdi, r12",
        "push 0",
        "jmp rbx",
        ".cfi_endproc",
    )
}

/// See [`kernel::arch::ThreadOps::prepare_stack`].
///
/// # Safety
/// As there.
pub(crate) unsafe fn prepare_stack(top: usize, entry: extern "C" fn(usize) -> !, arg: usize) -> usize {
    let start: unsafe extern "C" fn() -> ! = start;
    let image = [0, 0, 0, arg, entry as usize, 0, start as usize];
    const _: () = assert!(SAVED == 6);
    let sp = top - size_of_val(&image);
    // SAFETY: the caller's stack has room, and `top` is aligned.
    unsafe { core::ptr::with_exposed_provenance_mut::<[usize; SAVED + 1]>(sp).write(image) };
    sp
}

/// The frame pointer of the function this is inlined into.
#[inline(always)]
pub(crate) fn frame_pointer() -> usize {
    let frame;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}

/// See [`kernel::arch::ThreadOps::is_outermost`].
#[inline(always)]
pub(crate) fn is_outermost() {
    // SAFETY: no instruction; where the caller was called from is not known any more, and need not be.
    unsafe { asm!(".cfi_undefined rip", options(nomem, nostack, preserves_flags)) };
}
