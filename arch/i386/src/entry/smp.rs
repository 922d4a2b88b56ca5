//! What only a kernel for more than one CPU has: the boot CPU's base before it has an area, which is a header with nothing
//! behind it, so that variables fault; and the code that secondary CPUs come through.

use core::arch::global_asm;
use core::mem::{offset_of, size_of};

use arch_x86::boot::smp::Header;
use kernel::arch::{BootBlock, Door};

use crate::per_cpu;

/// The per-CPU segment without its base: data, writable, 64 bytes long.
pub const DESCRIPTOR: u64 = 0x0040_9300_0000_003f;

global_asm!(
    ".section .rodata.boot, \"a\", @progbits",
    ".balign 4",
    ".globl boot_area",
    "boot_area: .long boot_head",
    options(att_syntax),
);

global_asm!(
    ".set SMP_GDT, {gdt}",
    ".set SMP_IDT, {idt}",
    ".set SMP_PROTECTED, {protected}",
    ".set SMP_PAGED, {paged}",
    ".set SMP_LEAVE, {leave}",
    ".set SMP_ROOT, {root}",
    ".set SMP_CR4, {cr4}",
    ".set SMP_EFER, {efer}",
    ".set SMP_NEEDS, {needs}",
    ".set SMP_SLOTS, {slots}",
    ".set SMP_TABLE, {table}",
    ".set SMP_APIC, {apic}",
    ".set SMP_GATES, {gates}",
    ".set SMP_HEADER_BYTES, {header_bytes}",
    ".set SMP_CODE_DESCRIPTOR, 0x00cf9b000000ffff",
    ".set SMP_BLOCK_ROOT, {block_root}",
    ".set SMP_BLOCK_STACK, {block_stack}",
    ".set SMP_BLOCK_AREA, {block_area}",
    ".set SMP_BLOCK_LIFE, {block_life}",
    ".set SMP_REVOKED, {revoked}",
    ".set SMP_AREA_GDT, {area_gdt}",
    ".set SMP_AREA_GDT_BYTES, {area_gdt_bytes}",
    include_str!("../../../x86/src/boot/trampoline.s"),
    include_str!("smp.s"),
    gdt = const offset_of!(Header, gdt),
    idt = const offset_of!(Header, idt),
    protected = const offset_of!(Header, protected),
    paged = const offset_of!(Header, paged),
    leave = const offset_of!(Header, leave),
    root = const offset_of!(Header, root),
    cr4 = const offset_of!(Header, cr4),
    efer = const offset_of!(Header, efer),
    needs = const offset_of!(Header, needs),
    slots = const offset_of!(Header, slots),
    table = const offset_of!(Header, table),
    apic = const offset_of!(Header, apic),
    gates = const offset_of!(Header, gates),
    header_bytes = const size_of::<Header>(),
    block_root = const offset_of!(BootBlock, root),
    block_stack = const offset_of!(BootBlock, stack_top),
    block_area = const offset_of!(BootBlock, area),
    block_life = const offset_of!(BootBlock, door),
    revoked = const Door::REVOKED,
    area_gdt = const per_cpu::GDT,
    area_gdt_bytes = const size_of::<per_cpu::Gdt>(),
    options(att_syntax),
);
