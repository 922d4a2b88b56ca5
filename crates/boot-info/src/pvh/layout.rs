//! `struct hvm_start_info` and its lists, byte for byte; names are Xen's.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U32, U64},
};

/// `XEN_HVM_START_MAGIC_VALUE`: "xEn3" with the high bit of the E set.
pub const MAGIC: u32 = 0x336e_c578;

/// Version 0 of the structure, the head of all later ones.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the ABI's own names")]
pub struct StartInfo {
    pub magic: U32,
    pub version: U32,
    pub flags: U32,
    pub nr_modules: U32,
    pub modlist_paddr: U64,
    pub cmdline_paddr: U64,
    pub rsdp_paddr: U64,
}

/// Version 1 adds the memory map.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the ABI's own names")]
pub struct StartInfoV1 {
    pub v0: StartInfo,
    pub memmap_paddr: U64,
    pub memmap_entries: U32,
    pub reserved: U32,
}

/// `struct hvm_modlist_entry`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the ABI's own names")]
pub struct Module {
    pub paddr: U64,
    pub size: U64,
    pub cmdline_paddr: U64,
    pub reserved: U64,
}

/// `struct hvm_memmap_table_entry`; the kinds are those of E820.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the ABI's own names")]
pub struct MemmapEntry {
    pub addr: U64,
    pub size: U64,
    pub kind: U32,
    pub reserved: U32,
}

const _: () = assert!(size_of::<StartInfo>() == 40 && size_of::<StartInfoV1>() == 56);
const _: () = assert!(size_of::<Module>() == 32 && size_of::<MemmapEntry>() == 24);
