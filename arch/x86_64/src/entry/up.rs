//! The only CPU's base: the section itself, from the start and for good.

core::arch::global_asm!(
    ".section .rodata.boot, \"a\", @progbits",
    ".balign 8",
    ".globl boot_area",
    "boot_area: .quad __per_cpu_start",
    options(att_syntax),
);
