//! Registers and sleep values.

use super::support::Machine;
use crate::{dsdt::scan, *};

/// A FADT body (without header) with 32-bit fields only.
fn fadt(len: usize) -> Vec<u8> {
    let mut body = vec![0; len - 36];
    body[76 - 36..80 - 36].copy_from_slice(&0x408u32.to_le_bytes());
    body[64 - 36..68 - 36].copy_from_slice(&0x404u32.to_le_bytes());
    body[68 - 36..72 - 36].copy_from_slice(&0x424u32.to_le_bytes());
    body[91 - 36] = 4;
    body[112 - 36..116 - 36].copy_from_slice(&(1u32 << 8 | 1 << 10).to_le_bytes());
    body
}

fn gas(body: &mut [u8], at: usize, space: u8, address: u64) {
    body[at - 36..at - 24].copy_from_slice(&[&[space, 32, 0, 0][..], &address.to_le_bytes()].concat());
}

fn fixed(body: &[u8], revision: u8) -> Fixed {
    Machine::default()
        .table(0x3000, b"FACP", revision, body)
        .finish()
        .read()
        .fixed
        .unwrap()
}

#[test]
fn old_tables_have_ports() {
    let fixed = fixed(&fadt(116), 1);
    let port = |address, width| {
        Some(Register {
            space: Space::Io,
            address,
            width,
            offset: 0,
        })
    };
    assert_eq!(
        fixed.pm_timer.map(|t| (Some(t.register), t.is_32bit)),
        Some((port(0x408, 32), true))
    );
    assert_eq!(
        (fixed.pm1a_control, fixed.pm1b_control),
        (port(0x404, 16), port(0x424, 16))
    );
    assert_eq!(
        (fixed.reset, fixed.sleep_control, fixed.acpi_enable),
        (None, None, None)
    );
}

#[test]
fn wide_fields_win_unless_zero_or_not_there_yet() {
    let mut body = fadt(276);
    gas(&mut body, 208, 0, 0xfed1_0000);
    gas(&mut body, 244, 0, 0xfed2_0000);
    gas(&mut body, 116, 2, 0xcf9);
    body[128 - 36] = 6;
    let new = fixed(&body, 6);
    assert_eq!(new.pm_timer.unwrap().register.address, 0xfed1_0000);
    assert_eq!(new.sleep_control.unwrap().address, 0xfed2_0000);
    assert_eq!(new.reset.map(|(r, v)| (r.space, v)), Some((Space::PciConfig, 6)));
    assert_eq!(new.pm1a_control.unwrap().address, 0x404);
    assert_eq!(fixed(&body, 1).pm_timer.unwrap().register.address, 0x408);
}

#[test]
fn no_pm_timer_without_its_length_and_no_reset_without_its_flag() {
    let mut body = fadt(276);
    gas(&mut body, 116, 1, 0xcf9);
    (body[91 - 36], body[113 - 36]) = (0, 0);
    let fixed = fixed(&body, 6);
    assert_eq!((fixed.pm_timer, fixed.reset), (None, None));
}

#[test]
fn s5_in_every_spelling() {
    let s5 = |a, b| Some(SleepType { a, b });
    // Name (_S5, Package (4) {Zero, Zero, Zero, Zero})
    assert_eq!(scan(b"\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), s5(0, 0));
    // Name (\_S5, Package (2) {5, One}), the length in two bytes
    assert_eq!(scan(b"xx\x08\\_S5_\x12\x46\x00\x02\x0a\x05\x01"), s5(5, 1));
    assert_eq!(
        scan(b"\x08_S5_\x12\x0a\x04\x0b\x07\x00\x0c\x03\x00\x00\x00\x00\x00"),
        s5(7, 3)
    );
    assert_eq!(
        scan(b"\x08_S5_\x12\x05\x01\x0b\x05\x06"),
        s5(5, 6),
        "both in one word"
    );
}

#[test]
fn s5_that_is_none() {
    for aml in [
        &b""[..],
        b"_S5_",
        b"\x08_S5_",
        b"\x08_S5_\x12",
        b"\x08_S5_\x12\xc0",
        b"\x08_S5_\x12\x06\x00\x00\x00",
        b"\x08_S5_\x12\x06\x02\x00",
        b"\x08_S5_\x12\x06\x02\x00\x0a",
        b"\x08_S5_\x12\x06\x02\x0a\x08\x00",
        b"\x08_S5_\x12\x06\x02ABCD\x00",
        b"\x14_S5_\x12\x06\x04\x00\x00\x00\x00",
        b"\x08_S5_\x0a\x05",
    ] {
        assert_eq!(scan(aml), None, "{aml:x?}");
    }
    let second = b"\\_S5_\x08_S4_ \x08_S5_\x12\x06\x04\x0a\x06\x00\x00\x00";
    assert_eq!(
        scan(second),
        Some(SleepType { a: 6, b: 0 }),
        "a use before the definition"
    );
}

#[test]
fn s5_is_found_in_an_ssdt_too() {
    let mut body = fadt(116);
    body[4..8].copy_from_slice(&0x9000u32.to_le_bytes());
    let aml = b"\x08_S5_\x12\x06\x04\x0a\x03\x00\x00\x00";
    let ssdt = Machine::default()
        .table(0x3000, b"FACP", 1, &body)
        .table(0x4000, b"SSDT", 1, aml)
        .finish();
    assert_eq!(ssdt.read().s5.unwrap().a, 3);
    let dsdt = ssdt
        .clone()
        .table(0x9000, b"DSDT", 1, b"\x08_S5_\x12\x06\x04\x0a\x07\x00\x00\x00");
    assert_eq!(dsdt.read().s5.unwrap().a, 7, "the DSDT comes first");
}
