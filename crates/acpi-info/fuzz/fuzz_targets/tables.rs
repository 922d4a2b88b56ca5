//! Tables with right lengths and checksums around arbitrary bodies.
#![no_main]

use acpi_info::{AcpiInfo, read};
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

const SIGNATURES: [&[u8; 4]; 6] = [b"APIC", b"FACP", b"MCFG", b"HPET", b"SSDT", b"DSDT"];
const DSDT: u64 = 0x6_0000;

#[derive(Arbitrary, Debug)]
struct Input {
    tables: [(u8, Vec<u8>); 6],
}

fn finish(mut bytes: Vec<u8>, checksum_at: usize) -> Vec<u8> {
    bytes[checksum_at] = bytes.iter().fold(0u8, |sum, &b| sum.wrapping_sub(b));
    bytes
}

fn table(signature: &[u8; 4], revision: u8, body: &[u8]) -> Vec<u8> {
    let len = (36 + body.len() as u32).to_le_bytes();
    finish([&signature[..], &len, &[revision], &[0; 27], body].concat(), 9)
}

/// A root pointer: the first 20 bytes sum up to 0, and so does the whole.
fn rsdp(xsdt: u64) -> Vec<u8> {
    let old = finish([&b"RSD PTR \0OEMOEM\x02"[..], &[0; 4]].concat(), 8);
    let new = [&36u32.to_le_bytes()[..], &xsdt.to_le_bytes(), &[0; 4]].concat();
    finish([old, new].concat(), 32)
}

fuzz_target!(|input: Input| {
    let addresses = (1..=SIGNATURES.len() as u64).map(|i| i << 16);
    let list: Vec<u8> = addresses.clone().take(5).flat_map(u64::to_le_bytes).collect();
    let mut memory = vec![(0x100, table(b"XSDT", 1, &list))];
    for ((at, signature), (revision, body)) in addresses.zip(SIGNATURES).zip(&input.tables) {
        let mut body = body.clone();
        body.truncate(0xf000);
        if signature == b"FACP" && body.len() > 8 {
            body[4..8].copy_from_slice(&(DSDT as u32).to_le_bytes());
        }
        memory.push((at, table(signature, *revision, &body)));
    }
    memory.push((0, rsdp(0x100)));

    let phys = |at: u64, len: usize| {
        let (start, bytes) = memory
            .iter()
            .filter(|(start, _)| *start <= at)
            .max_by_key(|(start, _)| *start)?;
        bytes.get((at - start) as usize..)?.get(..len)
    };
    let mut info = Box::new(AcpiInfo::EMPTY);
    read(0, &phys, &mut info).unwrap();
    assert_eq!(info.bad_checksums, 0);
    assert!(info.s5.is_none_or(|s5| s5.a <= 7 && s5.b <= 7));
});
