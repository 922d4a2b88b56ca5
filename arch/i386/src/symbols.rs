//! What the linker script and the entry code define.

unsafe extern "C" {
    static _text: u8;
    static _end: u8;
    static initial_page_table: [u8; 4096];
    static swapper_pg_dir: u8;
    static boot_tsc: u64;
}

/// The time-stamp counter at the kernel's first instruction.
pub(crate) fn time_stamp() -> u64 {
    // SAFETY: written by the entry code, before Rust.
    unsafe { boot_tsc }
}

/// Where something lies in the image, in bytes from `_text`.
pub(crate) fn offset(symbol: *const u8) -> usize {
    symbol.addr() - image_start()
}

/// The address `_text` is linked for.
pub(crate) fn image_start() -> usize {
    (&raw const _text).addr()
}

/// Bytes from `_text` to `_end`.
pub(crate) fn image_bytes() -> usize {
    offset(&raw const _end)
}

/// Where in the image the root table lies that the kernel boots on, and that starting CPUs come through.
pub(crate) fn boot_root_offset() -> u64 {
    offset((&raw const initial_page_table).cast()) as u64
}

/// Where in the image the kernel's own root table lies.
pub(crate) fn kernel_root_offset() -> u64 {
    offset(&raw const swapper_pg_dir) as u64
}

/// The root table that starting CPUs come through.
#[cfg(feature = "smp")]
pub(crate) fn boot_root() -> arch_x86::smp::StartRoot {
    let at = arch_x86::handover::image(0).start + boot_root_offset();
    // SAFETY: a page of the image, whole and initialised.
    let page = unsafe { &initial_page_table };
    arch_x86::smp::StartRoot { at, page }
}
