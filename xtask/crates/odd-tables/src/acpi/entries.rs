//! Tables and entries, byte by byte.

/// Where every PC has its local APICs.
const LOCAL_APIC: u32 = 0xfee0_0000;

/// A table with header, length and checksum (ACPI 6.5, 5.2.6).
pub fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let len = (36 + body.len() as u32).to_le_bytes();
    let mut table = [
        &signature[..],
        &len,
        &[4, 0],
        b"SSTILLODDTABLE",
        &[1, 0, 0, 0],
        b"ODDT",
        &[1, 0, 0, 0],
        body,
    ]
    .concat();
    table[9] = checksum(&table);
    table
}

/// The byte that makes the sum of all 0.
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |sum, &b| sum.wrapping_sub(b))
}

/// A MADT with these bytes after its fixed fields.
pub fn madt_of(entries: &[u8]) -> Vec<u8> {
    table(
        b"APIC",
        &[&LOCAL_APIC.to_le_bytes()[..], &[1, 0, 0, 0], entries].concat(),
    )
}

pub fn lapic(uid: u8, id: u8, flags: u32) -> Vec<u8> {
    [&[0, 8, uid, id][..], &flags.to_le_bytes()].concat()
}

pub fn x2apic(uid: u32, id: u32, flags: u32) -> Vec<u8> {
    let words = [id, flags, uid].map(u32::to_le_bytes).concat();
    [&[9, 16, 0, 0][..], &words].concat()
}

pub fn io_apic(id: u8, address: u32, first: u32) -> Vec<u8> {
    let words = [address, first].map(u32::to_le_bytes).concat();
    [&[1, 12, id, 0][..], &words].concat()
}

pub fn source_override(bus: u8, irq: u8, gsi: u32, flags: u16) -> Vec<u8> {
    [&[2, 10, bus, irq][..], &gsi.to_le_bytes(), &flags.to_le_bytes()].concat()
}

pub fn nmi(uid: u8, lint: u8) -> Vec<u8> {
    vec![4, 6, uid, 0, 0, lint]
}

/// A GIC CPU interface of ACPI 6.0.
pub fn gicc(mpidr: u64, flags: u32) -> Vec<u8> {
    let mut entry = vec![0; 80];
    (entry[0], entry[1]) = (0xb, 80);
    entry[12..16].copy_from_slice(&flags.to_le_bytes());
    entry[68..76].copy_from_slice(&mpidr.to_le_bytes());
    entry
}

/// Makes an entry say that it has this length, and have it as far as it goes.
pub fn resized(mut entry: Vec<u8>, len: u64) -> Vec<u8> {
    entry.resize(len as usize, 0);
    entry[1] = len as u8;
    entry
}

/// Makes an entry say that it has this length, and stay as it is.
pub fn mislabelled(mut entry: Vec<u8>, len: u64) -> Vec<u8> {
    entry[1] = len as u8;
    entry
}

/// What QEMU's own table lists beside CPUs.
pub fn controllers() -> Vec<Vec<u8>> {
    vec![
        io_apic(0, 0xfec0_0000, 0),
        source_override(0, 0, 2, 0),
        nmi(0xff, 1),
    ]
}

/// CPU `n` as it should be.
pub fn cpu(n: u64) -> Vec<u8> {
    lapic(n as u8, n as u8, 1)
}

/// A machine as it should be: four CPUs, then controllers.
pub fn usual() -> Vec<Vec<u8>> {
    (0..4).map(cpu).chain(controllers()).collect()
}
