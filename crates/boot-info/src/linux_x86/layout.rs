//! `struct boot_params`, byte for byte, after Linux's `Documentation/arch/x86/zero-page.rst` and
//! `boot.rst`. Names are the protocol's.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32, U64},
};

/// Entries in the table inside the zero page.
pub const E820_MAX: usize = 128;

/// The zero page.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
#[expect(missing_docs, reason = "the protocol's own names; the source is named above")]
pub struct BootParams {
    _pad_000: [u8; 2],
    pub ext_mem_k: U16,
    _pad_004: [u8; 0x70 - 4],
    pub acpi_rsdp_addr: U64,
    _pad_078: [u8; 0x48],
    pub ext_ramdisk_image: U32,
    pub ext_ramdisk_size: U32,
    pub ext_cmd_line_ptr: U32,
    _pad_0cc: [u8; 0x1c0 - 0xcc],
    pub efi_info: EfiInfo,
    pub alt_mem_k: U32,
    _pad_1e4: [u8; 4],
    pub e820_entries: u8,
    _pad_1e9: [u8; 6],
    pub sentinel: u8,
    _pad_1f0: u8,
    pub hdr: SetupHeader,
    _pad_26c: [u8; 0x2d0 - 0x26c],
    pub e820_table: [E820Entry; E820_MAX],
    _pad_cd0: [u8; 0x1000 - 0xcd0],
}

/// `struct efi_info`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
#[expect(missing_docs, reason = "the protocol's own names")]
pub struct EfiInfo {
    pub efi_loader_signature: [u8; 4],
    pub efi_systab: U32,
    pub efi_memdesc_size: U32,
    pub efi_memdesc_version: U32,
    pub efi_memmap: U32,
    pub efi_memmap_size: U32,
    pub efi_systab_hi: U32,
    pub efi_memmap_hi: U32,
}

/// `struct setup_header`, at offset 0x1f1 of the zero page and of the image alike.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
#[expect(missing_docs, reason = "the protocol's own names")]
pub struct SetupHeader {
    pub setup_sects: u8,
    pub root_flags: U16,
    pub syssize: U32,
    pub ram_size: U16,
    pub vid_mode: U16,
    pub root_dev: U16,
    pub boot_flag: U16,
    pub jump: U16,
    pub header: [u8; 4],
    pub version: U16,
    pub realmode_swtch: U32,
    pub start_sys_seg: U16,
    pub kernel_version: U16,
    pub type_of_loader: u8,
    pub loadflags: u8,
    pub setup_move_size: U16,
    pub code32_start: U32,
    pub ramdisk_image: U32,
    pub ramdisk_size: U32,
    pub bootsect_kludge: U32,
    pub heap_end_ptr: U16,
    pub ext_loader_ver: u8,
    pub ext_loader_type: u8,
    pub cmd_line_ptr: U32,
    pub initrd_addr_max: U32,
    pub kernel_alignment: U32,
    pub relocatable_kernel: u8,
    pub min_alignment: u8,
    pub xloadflags: U16,
    pub cmdline_size: U32,
    pub hardware_subarch: U32,
    pub hardware_subarch_data: U64,
    pub payload_offset: U32,
    pub payload_length: U32,
    pub setup_data: U64,
    pub pref_address: U64,
    pub init_size: U32,
    pub handover_offset: U32,
    pub kernel_info_offset: U32,
}

/// `struct boot_e820_entry`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the protocol's own names")]
pub struct E820Entry {
    pub addr: U64,
    pub size: U64,
    pub kind: U32,
}

/// Head of `struct setup_data`; `len` bytes follow.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the protocol's own names")]
pub struct SetupDataHead {
    pub next: U64,
    pub kind: U32,
    pub len: U32,
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<BootParams>() == 0x1000);
    assert!(offset_of!(BootParams, ext_mem_k) == 0x002);
    assert!(offset_of!(BootParams, acpi_rsdp_addr) == 0x070);
    assert!(offset_of!(BootParams, ext_ramdisk_image) == 0x0c0);
    assert!(offset_of!(BootParams, efi_info) == 0x1c0);
    assert!(offset_of!(BootParams, alt_mem_k) == 0x1e0);
    assert!(offset_of!(BootParams, e820_entries) == 0x1e8);
    assert!(offset_of!(BootParams, sentinel) == 0x1ef);
    assert!(offset_of!(BootParams, hdr) == 0x1f1);
    assert!(offset_of!(BootParams, e820_table) == 0x2d0);
    let hdr = offset_of!(BootParams, hdr);
    assert!(hdr + offset_of!(SetupHeader, header) == 0x202);
    assert!(hdr + offset_of!(SetupHeader, type_of_loader) == 0x210);
    assert!(hdr + offset_of!(SetupHeader, ramdisk_image) == 0x218);
    assert!(hdr + offset_of!(SetupHeader, cmd_line_ptr) == 0x228);
    assert!(hdr + offset_of!(SetupHeader, cmdline_size) == 0x238);
    assert!(hdr + offset_of!(SetupHeader, setup_data) == 0x250);
    assert!(hdr + size_of::<SetupHeader>() == 0x26c);
};
