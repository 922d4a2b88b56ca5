//! Switching between kernel threads.

use core::arch::{asm, naked_asm};

use crate::per_cpu::CANARY;

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
        "push ebp",
        "push ebx",
        "push esi",
        "push edi",
        "mov eax, [esp + 20]",
        "mov ecx, [esp + 24]",
        "mov edx, [esp + 28]",
        "mov [eax], esp",
        "mov esp, ecx",
        "mov gs:[{canary}], edx",
        "pop edi",
        "pop esi",
        "pop ebx",
        "pop ebp",
        "ret",
        canary = const CANARY,
    )
}

/// Where a new thread's first switch returns to, with the stack at its end: calls what `prepare_stack` left in ebx with
/// what it left in esi, at a multiple of 16, and a return address of zero.
#[unsafe(naked)]
unsafe extern "C" fn start() -> ! {
    naked_asm!(
        ".cfi_sections .debug_frame",
        ".cfi_startproc",
        ".cfi_undefined eip",
        "sub esp, 12",
        "push esi",
        "push 0",
        "jmp ebx",
        ".cfi_endproc",
    )
}

/// See [`kernel::arch::ThreadOps::prepare_stack`].
///
/// # Safety
/// As there.
pub(crate) unsafe fn prepare_stack(top: usize, entry: extern "C" fn(usize) -> !, arg: usize) -> usize {
    let start: unsafe extern "C" fn() -> ! = start;
    // As `switch` pops them: edi, esi, ebx, ebp, return address.
    let image = [0, arg, entry as usize, 0, start as usize];
    let sp = top - size_of_val(&image);
    // SAFETY: the caller's stack has room, and `top` is aligned.
    unsafe { core::ptr::with_exposed_provenance_mut::<[usize; 5]>(sp).write(image) };
    sp
}

/// The frame pointer of the function this is inlined into.
#[inline(always)]
pub(crate) fn frame_pointer() -> usize {
    let frame;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, ebp", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}

/// See [`kernel::arch::ThreadOps::is_outermost`].
#[inline(always)]
pub(crate) fn is_outermost() {
    // SAFETY: no instruction; where the caller was called from is not known any more, and need not be.
    unsafe { asm!(".cfi_undefined eip", options(nomem, nostack, preserves_flags)) };
}
