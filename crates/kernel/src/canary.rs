//! Two guards of every stack: the compiler's canary between locals and return address, and a magic word at the far end.

use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::arch::Arch;

/// What the lowest word of a stack holds until the stack has overflowed into it.
pub const STACK_END_MAGIC: usize = 0x57AC_6E9D;

static BOOT: AtomicUsize = AtomicUsize::new(0);

/// Writes the magic to the lowest word of a stack.
///
/// # Safety
/// `bottom` is the word-aligned lowest address of a writable stack that has not grown down to it.
pub unsafe fn set_stack_end_magic(bottom: usize) {
    // SAFETY: the caller's.
    unsafe { ptr::write_volatile(ptr::with_exposed_provenance_mut::<usize>(bottom), STACK_END_MAGIC) }
}

/// Whether the lowest word of a stack still holds the magic.
///
/// # Safety
/// `bottom` is the word-aligned lowest address of a mapped stack.
pub unsafe fn stack_end_intact(bottom: usize) -> bool {
    // SAFETY: the caller's.
    unsafe { ptr::read_volatile(ptr::with_exposed_provenance::<usize>(bottom)) == STACK_END_MAGIC }
}

/// A new canary: the machine's randomness, and a low byte of zero so that a runaway string copy cannot rewrite it.
pub fn fresh<A: Arch>() -> usize {
    mix(A::entropy()) & !0xff
}

/// Spreads the entropy of a word over all its bits (the finaliser of the SplitMix64 generator).
fn mix(word: usize) -> usize {
    let mut z = (word as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as usize
}

/// Seeds the boot CPU's canary. Inlined into `start_kernel`, which never returns: no frame that was entered under the
/// old value is ever left.
#[inline(always)]
pub fn boot_init_stack_canary<A: Arch>() {
    let canary = fresh::<A>();
    BOOT.store(canary, Ordering::Relaxed);
    // SAFETY: see above.
    unsafe { A::set_canary(canary) };
}

/// The boot CPU's first canary, for its first thread.
pub(crate) fn boot_canary() -> usize {
    BOOT.load(Ordering::Relaxed)
}

/// Where the compiler's stack protector goes when a canary is dead. The stack is not to be trusted, so nothing is
/// returned to; arch crates call this from `__stack_chk_fail`.
pub fn smashed() -> ! {
    panic!("stack protector: a canary was overwritten, a local buffer overflowed")
}
