//! From the boot loader to [`crate::rust_entry`]: see `docs/boot-x86.md`.

use core::arch::global_asm;

#[cfg_attr(feature = "smp", path = "smp.rs")]
#[cfg_attr(not(feature = "smp"), path = "up.rs")]
mod area;

global_asm!(
    ".set BOOT_ALIGN, 0x200000",
    ".set BOOT_ALIGN_LOG2, 21",
    ".set BOOT_LOAD_ADDRESS, 0x200000",
    ".set BOOT_PHYSMAP_SLOT, {physmap_slot}",
    ".set BOOT_COMMAND_LINE_BYTES, 2048",
    // XLF_KERNEL_64, XLF_CAN_BE_LOADED_ABOVE_4G, XLF_5LEVEL.
    ".set BOOT_XLOADFLAGS, 0x23",
    ".set BOOT_INITRD_MAX, 0x7fffffff",
    ".set BOOT_KIND_PVH, {pvh}",
    ".set BOOT_KIND_LINUX, {linux}",
    ".macro boot_version",
    concat!(".asciz \"standstill-x86_64 ", env!("CARGO_PKG_VERSION"), "\""),
    ".endm",
    include_str!("../../../x86/src/boot/header.s"),
    include_str!("../../../x86/src/boot/setup.s"),
    include_str!("../../../x86/src/boot/report.s"),
    include_str!("../../../x86/src/boot/entry32.s"),
    include_str!("../../../x86/src/boot/real_mode.s"),
    include_str!("entry64.s"),
    include_str!("five_levels.s"),
    include_str!("long_mode.s"),
    include_str!("memory.s"),
    physmap_slot = const (PHYSMAP_BASE >> 39) & 511,
    pvh = const arch_x86::boot::KIND_PVH,
    linux = const arch_x86::boot::KIND_LINUX,
    options(att_syntax),
);

/// Where physical address 0 appears.
const PHYSMAP_BASE: usize = 0xffff_8880_0000_0000;
