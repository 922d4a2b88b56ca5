//! The tables as the three files of fw_cfg that firmware installs (QEMU, `docs/specs/fw_cfg.rst` and
//! `hw/acpi/bios-linker-loader.c`): bytes, and orders of what to place where and which words to correct by where it lies.

use super::Odd;

/// What QEMU's `-fw_cfg` is given.
#[derive(Clone, Debug)]
pub struct Files {
    /// `etc/acpi/rsdp`.
    pub rsdp: Vec<u8>,
    /// `etc/acpi/tables`.
    pub tables: Vec<u8>,
    /// `etc/table-loader`.
    pub loader: Vec<u8>,
}

const RSDP: &str = "etc/acpi/rsdp";
const TABLES: &str = "etc/acpi/tables";
/// Bytes of an order.
const ORDER: usize = 128;

/// A root pointer of ACPI 1.0, a root table, and the tables.
#[must_use]
pub fn files(odd: &Odd) -> Files {
    let head = 36 + 4 * odd.tables.len();
    let (mut tables, mut list) = (vec![0; head.next_multiple_of(16)], Vec::new());
    for table in &odd.tables {
        list.extend((tables.len() as u32).to_le_bytes());
        tables.extend(table);
        tables.resize(tables.len().next_multiple_of(16), 0);
    }
    let root = super::entries::table(b"RSDT", &list);
    tables[..head].copy_from_slice(&root);
    let rsdp = b"RSD PTR \0SSTILL\0\0\0\0\0".to_vec();
    let pointers = (0..odd.tables.len()).map(|n| pointer(TABLES, 36 + 4 * n));
    let mut loader = [allocate(TABLES, 64, 1), allocate(RSDP, 16, 2), pointer(RSDP, 16)].concat();
    loader.extend(pointers.flatten());
    tables[9] = 0;
    loader.extend(checksum(TABLES, 9, head));
    loader.extend(checksum(RSDP, 8, 20));
    Files { rsdp, tables, loader }
}

/// An order: its number, then fields at their places.
fn order(number: u32, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut order = vec![0; ORDER];
    order[..4].copy_from_slice(&number.to_le_bytes());
    for (at, bytes) in fields {
        order[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    order
}

/// Place a file, so aligned: 1 anywhere, 2 where a BIOS has its root pointer.
fn allocate(file: &str, align: u32, zone: u8) -> Vec<u8> {
    order(
        1,
        &[(4, file.as_bytes()), (60, &align.to_le_bytes()), (64, &[zone])],
    )
}

/// Add to the four bytes at `at` of a file where the tables lie.
fn pointer(file: &str, at: usize) -> Vec<u8> {
    let at = (at as u32).to_le_bytes();
    order(
        2,
        &[
            (4, file.as_bytes()),
            (60, TABLES.as_bytes()),
            (116, &at),
            (120, &[4]),
        ],
    )
}

/// Put right the checksum at `at` of the first `len` bytes of a file.
fn checksum(file: &str, at: usize, len: usize) -> Vec<u8> {
    let words = [at as u32, 0, len as u32].map(u32::to_le_bytes).concat();
    order(3, &[(4, file.as_bytes()), (60, &words)])
}
