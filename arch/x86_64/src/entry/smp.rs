//! The boot CPU's base before it has an area: a header with nothing behind it, so that variables fault.

core::arch::global_asm!(
    ".section .rodata.boot, \"a\", @progbits",
    ".balign 8",
    ".globl boot_area",
    "boot_area: .quad boot_head",
    options(att_syntax),
);
