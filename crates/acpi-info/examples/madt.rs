//! Tables of a machine with two CPUs, and one whose length lies: the first are read, the other is left out.

use acpi_info::{AcpiInfo, find_rsdp, read};

const RSDP: usize = 0xe_0000;
const XSDT: usize = 0x1000;
const MADT: usize = 0x2000;
const LIAR: usize = 0x3000;

/// A table with its length and checksum.
fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let len = (36 + body.len() as u32).to_le_bytes();
    summed([&signature[..], &len, &[1], &[0; 27], body].concat(), 9)
}

/// With byte `at` such that all add up to 0.
fn summed(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[at] = bytes[at].wrapping_sub(sum);
    bytes
}

fn main() -> Result<(), acpi_info::Error> {
    // A local APIC each: type, length, ACPI id, APIC id, flags (enabled).
    let cpus = [[0, 8, 0, 0, 1, 0, 0, 0], [0, 8, 1, 4, 1, 0, 0, 0]].concat();
    let madt = table(
        b"APIC",
        &[&0xfee0_0000_u32.to_le_bytes()[..], &[1, 0, 0, 0], &cpus].concat(),
    );
    let mut liar = table(b"MCFG", &[0; 24]);
    liar[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let list: Vec<u8> = [MADT as u64, LIAR as u64]
        .into_iter()
        .flat_map(u64::to_le_bytes)
        .collect();
    let pointer = summed([&b"RSD PTR \0OEMOEM\x02"[..], &[0; 4]].concat(), 8);
    let rest = [&36_u32.to_le_bytes()[..], &(XSDT as u64).to_le_bytes(), &[0; 4]].concat();
    let pointer = summed([pointer, rest].concat(), 32);
    let mut ram = vec![0; 1 << 20];
    for (at, bytes) in [
        (RSDP, pointer),
        (XSDT, table(b"XSDT", &list)),
        (MADT, madt),
        (LIAR, liar),
    ] {
        ram[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    let phys = |at: u64, len: usize| ram.get(at as usize..)?.get(..len);
    let mut info = Box::new(AcpiInfo::EMPTY);
    let rsdp = find_rsdp(&phys).ok_or(acpi_info::Error::NoRsdp)?;
    read(rsdp, &phys, &mut info)?;
    println!("{} tables, local APIC at {:x?}", info.tables, info.local_apic);
    info.startable().for_each(|cpu| println!("{cpu:x?}"));
    Ok(())
}
