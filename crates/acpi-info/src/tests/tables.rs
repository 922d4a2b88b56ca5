//! The way from the root pointer to a table.

use super::support::{Machine, RSDP, XSDT, checksum};
use crate::*;

const LAPIC: [u8; 8] = [0, 8, 0, 3, 1, 0, 0, 0];

fn machine() -> Machine {
    Machine::with_madt(&[LAPIC.to_vec()])
}

#[test]
fn the_root_pointer_must_sum_up() {
    let mut m = machine();
    m.chunks.get_mut(&RSDP).unwrap()[9] ^= 1;
    assert_eq!(m.try_read().unwrap_err(), Error::NoRsdp);
    m.rsdp += 1;
    assert_eq!(m.try_read().unwrap_err(), Error::NoRsdp);
}

#[test]
fn without_a_good_xsdt_the_rsdt_is_taken() {
    let mut m = machine().table(0x5000, b"RSDT", 1, &0x2000u32.to_le_bytes());
    let rsdp = m.chunks.get_mut(&RSDP).unwrap();
    rsdp[16..20].copy_from_slice(&0x5000u32.to_le_bytes());
    rsdp[8] = 0;
    rsdp[8] = checksum(&rsdp[..20]);
    rsdp[32] ^= 0x55;
    m.chunks.get_mut(&XSDT).unwrap()[0] = b'?';
    assert_eq!(m.read().cpus[0].hw_id, 3);
}

#[test]
fn no_root_table_is_an_error() {
    for edit in [
        |x: &mut [u8]| x[0] = b'?',
        |x: &mut [u8]| x[4] = 35,
        |x: &mut [u8]| x[7] = 0xff,
    ] {
        let mut m = machine();
        edit(m.chunks.get_mut(&XSDT).unwrap());
        assert_eq!(m.try_read().unwrap_err(), Error::NoRootTable);
    }
}

#[test]
fn a_wrong_checksum_is_reported_and_the_table_read() {
    let mut m = machine();
    m.chunks.get_mut(&0x2000).unwrap()[9] ^= 1;
    let info = m.read();
    assert_eq!((info.bad_checksums, info.cpus.len()), (1, 1));
}

#[test]
fn a_table_that_is_not_mapped_as_long_as_it_says_is_left_out() {
    let mut m = machine();
    m.chunks.get_mut(&0x2000).unwrap()[4] += 1;
    let info = m.read();
    assert_eq!((info.tables, info.cpus.len()), (0, 0));
}

#[test]
fn a_root_table_that_lists_itself_for_ever_ends() {
    let list: Vec<u8> = (0..10_000).flat_map(|_| XSDT.to_le_bytes()).collect();
    let mut m = machine().table(XSDT, b"XSDT", 1, &list);
    m.sum(XSDT);
    assert_eq!(m.read().tables, 256);
}

#[test]
fn a_second_madt_is_not_added_to_the_first() {
    let body = [&[0; 8][..], &LAPIC, &[0, 8, 1, 7, 1, 0, 0, 0]].concat();
    let m = Machine::default()
        .table(0x2000, b"APIC", 1, &body)
        .table(0x2800, b"APIC", 1, &body)
        .finish();
    let info = m.read();
    assert_eq!((info.cpus.len(), info.cpus_bad), (2, 0));
}
