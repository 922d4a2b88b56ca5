//! System description tables: found, measured, summed, and only then looked at.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned, little_endian::U32};

use crate::{PhysMap, rsdp::Root};

/// Length of the header all tables share (ACPI 6.5, 5.2.6).
pub(crate) const HEADER_LEN: usize = 36;

/// Longest table that is believed. The longest real ones are DSDTs of some hundred KiB.
const MAX_LEN: usize = 1 << 20;

/// Entries of a root table that are followed; real machines have some forty.
const MAX_TABLES: usize = 256;

#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Header {
    signature: [u8; 4],
    length: U32,
    revision: u8,
    rest: [u8; 27],
}

/// A table whose bytes are all mapped.
pub(crate) struct Table<'m> {
    pub signature: [u8; 4],
    pub revision: u8,
    /// All of it, header included.
    pub bytes: &'m [u8],
}

/// The list of tables.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'m> {
    entries: &'m [u8],
    entry_size: usize,
}

/// Exactly `len` bytes at `at`. Callers' mapping functions may return more.
pub(crate) fn fetch<'m>(phys: PhysMap<'_, 'm>, at: u64, len: usize) -> Option<&'m [u8]> {
    phys(at, len)?.get(..len)
}

pub(crate) fn sum_is_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0u8, |sum, &b| sum.wrapping_add(b)) == 0
}

/// The table at `at`, if it is mapped as far as it says it is long.
pub(crate) fn table<'m>(at: u64, phys: PhysMap<'_, 'm>) -> Option<Table<'m>> {
    if at == 0 {
        return None;
    }
    let header = Header::ref_from_bytes(fetch(phys, at, HEADER_LEN)?).ok()?;
    let len = header.length.get() as usize;
    if !(HEADER_LEN..=MAX_LEN).contains(&len) {
        return None;
    }
    let bytes = fetch(phys, at, len)?;
    Some(Table {
        signature: header.signature,
        revision: header.revision,
        bytes,
    })
}

/// The root table: the XSDT if there is one, else the RSDT.
pub(crate) fn root<'m>(root: &Root, phys: PhysMap<'_, 'm>) -> Option<Tables<'m>> {
    let by = |at: Option<u64>, signature: &[u8; 4], entry_size| {
        let table = table(at?, phys).filter(|t| t.signature == *signature)?;
        Some(Tables {
            entries: &table.bytes[HEADER_LEN..],
            entry_size,
        })
    };
    by(root.xsdt, b"XSDT", 8).or_else(|| by(root.rsdt, b"RSDT", 4))
}

impl Table<'_> {
    /// Whether the bytes sum up to 0. Asked only of tables that are used: the others, AML above
    /// all, are most of the bytes.
    pub fn checksum_ok(&self) -> bool {
        sum_is_zero(self.bytes)
    }
}

impl<'m> Tables<'m> {
    /// The tables that can be read, in the root table's order.
    pub fn iter<'s>(&'s self, phys: PhysMap<'s, 'm>) -> impl Iterator<Item = Table<'m>> + 's {
        let entries = self.entries.chunks_exact(self.entry_size).take(MAX_TABLES);
        let addresses = entries.map(|e| e.iter().rev().fold(0u64, |at, &b| at << 8 | u64::from(b)));
        addresses.filter_map(move |at| table(at, phys))
    }
}
