//! What the linker script and the entry code define.

unsafe extern "C" {
    static _text: u8;
    static _end: u8;
    static trampoline_pgd: [u8; 4096];
    static boot_tsc: u64;
}

/// The time-stamp counter at the kernel's first instruction.
pub(crate) fn time_stamp() -> u64 {
    // SAFETY: written by the entry code, before Rust.
    unsafe { boot_tsc }
}

/// Bytes from `_text` to `_end`.
pub(crate) fn image_bytes() -> usize {
    (&raw const _end).addr() - (&raw const _text).addr()
}

/// Where in the image the root table lies that starting CPUs come through.
pub(crate) fn trampoline_root_offset() -> u64 {
    ((&raw const trampoline_pgd).addr() - (&raw const _text).addr()) as u64
}

/// The root table that starting CPUs come through.
#[cfg(feature = "smp")]
pub(crate) fn trampoline_root() -> arch_x86::smp::StartRoot {
    let at = arch_x86::handover::image(0).start + trampoline_root_offset();
    // SAFETY: a page of the image, whole and initialised.
    let page = unsafe { &trampoline_pgd };
    arch_x86::smp::StartRoot { at, page }
}
