//! The MMU.

pub mod fixmap;
pub mod regs;

use core::arch::asm;

/// Drops the executing CPU's translation of the page at `va`.
pub fn flush_local(va: usize) {
    // SAFETY: dropping a cached translation changes no meaning of any address. The first barrier makes earlier table
    // writes visible to the walker; the last two make later accesses use them.
    unsafe {
        asm!(
            "dsb nshst",
            "tlbi vaae1, {page}",
            "dsb nsh",
            "isb",
            page = in(reg) (va >> 12) & ((1 << 44) - 1),
            options(nostack, preserves_flags)
        );
    }
}
