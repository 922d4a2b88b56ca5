//! The root system description pointer (ACPI 6.5, 5.2.5).

use zerocopy::{
    FromBytes, Immutable, KnownLayout, Unaligned,
    little_endian::{U32, U64},
};

use crate::{
    PhysMap,
    table::{fetch, sum_is_zero},
};

const SIGNATURE: [u8; 8] = *b"RSD PTR ";
/// Length of the ACPI 1.0 structure, which the first checksum covers.
const V1_LEN: usize = 20;

#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct V1 {
    signature: [u8; 8],
    checksum: u8,
    oem_id: [u8; 6],
    revision: u8,
    rsdt: U32,
}

#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct V2 {
    v1: V1,
    length: U32,
    xsdt: U64,
    checksum: u8,
    reserved: [u8; 3],
}

/// Where the root tables are.
pub(crate) struct Root {
    pub revision: u8,
    pub xsdt: Option<u64>,
    pub rsdt: Option<u64>,
}

/// Reads the pointer at `at`. The first checksum must hold: it is what tells a pointer from bytes
/// that look like one. If only the second is wrong, the XSDT is not believed.
pub(crate) fn read(at: u64, phys: PhysMap) -> Option<Root> {
    let bytes = fetch(phys, at, V1_LEN)?;
    let v1 = V1::ref_from_bytes(bytes).ok()?;
    if v1.signature != SIGNATURE || !sum_is_zero(bytes) {
        return None;
    }
    let xsdt = if v1.revision >= 2 { xsdt(at, phys) } else { None };
    Some(Root {
        revision: v1.revision,
        xsdt,
        rsdt: Some(u64::from(v1.rsdt.get())).filter(|&at| at != 0),
    })
}

fn xsdt(at: u64, phys: PhysMap) -> Option<u64> {
    let bytes = fetch(phys, at, size_of::<V2>())?;
    let v2 = V2::ref_from_bytes(bytes).ok()?;
    let len = usize::try_from(v2.length.get())
        .ok()
        .filter(|len| (size_of::<V2>()..=4096).contains(len))?;
    let whole = fetch(phys, at, len)?;
    Some(v2.xsdt.get()).filter(|&at| at != 0 && sum_is_zero(whole))
}

/// Looks for the pointer where a PC BIOS leaves it: the first KiB of the extended BIOS data area,
/// then 0xE0000 to 0xFFFFF, at multiples of 16 (ACPI 6.5, 5.2.5.1). For loaders that do not say.
#[must_use]
pub fn find_rsdp(phys: PhysMap) -> Option<u64> {
    // The word at 0x40E is the real-mode segment of the extended BIOS data area.
    let segment = fetch(phys, 0x40e, 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]));
    let ebda = u64::from(segment) << 4;
    let in_ebda = if ebda >= 0x400 {
        scan(ebda, 1024, phys)
    } else {
        None
    };
    in_ebda.or_else(|| scan(0xe_0000, 0x2_0000, phys))
}

fn scan(start: u64, len: u64, phys: PhysMap) -> Option<u64> {
    (start..start + len)
        .step_by(16)
        .find(|&at| read(at, phys).is_some())
}
