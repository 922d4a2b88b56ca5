//! `memcpy` and `memset` in string instructions.
//!
//! `compiler_builtins` has them for this target too, as weak symbols, in loops of a few instructions a word. Clearing pages
//! and stacks is a good part of what this kernel executes while it boots.

use core::arch::naked_asm;

/// Copies `n` bytes from `src` to `dest`, and returns `dest`.
///
/// # Safety
/// As in C: both are valid for `n` bytes and do not overlap.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memcpy(dest: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    naked_asm!(
        "push edi",
        "push esi",
        "mov edi, [esp + 12]",
        "mov esi, [esp + 16]",
        "mov edx, [esp + 20]",
        "mov eax, edi",
        "mov ecx, edx",
        "shr ecx, 2",
        "rep movsd",
        "mov ecx, edx",
        "and ecx, 3",
        "rep movsb",
        "pop esi",
        "pop edi",
        "ret",
    )
}

/// Fills `n` bytes at `dest` with the low byte of `value`, and returns `dest`.
///
/// # Safety
/// As in C: `dest` is valid for `n` bytes.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memset(dest: *mut u8, value: i32, n: usize) -> *mut u8 {
    naked_asm!(
        "push edi",
        "mov edi, [esp + 8]",
        "movzx eax, byte ptr [esp + 12]",
        "imul eax, eax, 0x01010101",
        "mov edx, [esp + 16]",
        "mov ecx, edx",
        "shr ecx, 2",
        "rep stosd",
        "mov ecx, edx",
        "and ecx, 3",
        "rep stosb",
        "mov eax, [esp + 8]",
        "pop edi",
        "ret",
    )
}
