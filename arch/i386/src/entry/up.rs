//! The only CPU's base: the section itself, from the start and for good.

/// The per-CPU segment without its base: data, writable, 4 GiB long.
pub const DESCRIPTOR: u64 = 0x00cf_9300_0000_ffff;

core::arch::global_asm!(
    ".section .rodata.boot, \"a\", @progbits",
    ".balign 4",
    ".globl boot_area",
    "boot_area: .long __per_cpu_start",
    options(att_syntax),
);
