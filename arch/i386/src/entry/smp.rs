//! The boot CPU's base before it has an area: a header with nothing behind it, so that variables fault.

/// The per-CPU segment without its base: data, writable, 64 bytes long.
pub const DESCRIPTOR: u64 = 0x0040_9300_0000_003f;

core::arch::global_asm!(
    ".section .rodata.boot, \"a\", @progbits",
    ".balign 4",
    ".globl boot_area",
    "boot_area: .long boot_head",
    options(att_syntax),
);
