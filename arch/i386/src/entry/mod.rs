//! From the boot loader to [`crate::rust_entry`]: see `docs/boot-x86.md`.

use core::arch::global_asm;

#[cfg_attr(feature = "smp", path = "smp.rs")]
#[cfg_attr(not(feature = "smp"), path = "up.rs")]
mod area;

/// Where physical address 0 appears.
const PHYSMAP_BASE: usize = 0xc000_0000;
/// RAM this kernel can use.
const PHYSMAP_BYTES: usize = 768 << 20;
/// Where the image is linked.
const IMAGE_BASE: usize = 0xf000_0000;

global_asm!(
    ".set BOOT_ALIGN, 0x400000",
    ".set BOOT_ALIGN_LOG2, 22",
    ".set BOOT_LOAD_ADDRESS, 0x400000",
    ".set BOOT_COMMAND_LINE_BYTES, 2048",
    ".set BOOT_PHYSMAP_SLOT, {physmap_slot}",
    ".set BOOT_PHYSMAP_BYTES, {physmap_bytes}",
    ".set BOOT_IMAGE_SLOT, {image_slot}",
    ".set BOOT_AREA_DESCRIPTOR, {area_descriptor}",
    ".set BOOT_XLOADFLAGS, 0",
    ".set BOOT_INITRD_MAX, 0x2fffffff",
    ".set BOOT_KIND_PVH, {pvh}",
    ".set BOOT_KIND_LINUX, {linux}",
    ".macro boot_version",
    concat!(".asciz \"standstill-i386 ", env!("CARGO_PKG_VERSION"), "\""),
    ".endm",
    include_str!("../../../x86/src/boot/header.s"),
    include_str!("../../../x86/src/boot/setup.s"),
    include_str!("../../../x86/src/boot/report.s"),
    include_str!("../../../x86/src/boot/entry32.s"),
    include_str!("../../../x86/src/boot/real_mode.s"),
    include_str!("paging.s"),
    include_str!("memory.s"),
    physmap_slot = const PHYSMAP_BASE >> 22,
    physmap_bytes = const PHYSMAP_BYTES,
    image_slot = const IMAGE_BASE >> 22,
    area_descriptor = const area::DESCRIPTOR,
    pvh = const arch_x86::boot::KIND_PVH,
    linux = const arch_x86::boot::KIND_LINUX,
    options(att_syntax),
);
