//! The values of `\_S5`, soft off, without an interpreter.
//!
//! They are named constants in practically all firmware: a package of integers under the name
//! `_S5_` in the DSDT (or an SSDT). So it is enough to find the bytes that define such a name. An
//! interpreter would find it in more exotic places too, but it needs a heap, and it must not be
//! what stands between a dying machine and its power switch. See `docs/decisions/0006-acpi-walked-by-hand.md`.
//!
//! The scan reads each byte once, follows no reference and believes no length beyond the table.

use crate::{
    AcpiInfo, PhysMap, SleepType,
    table::{HEADER_LEN, Tables, table},
};

const NAME_OP: u8 = 0x08;
const PACKAGE_OP: u8 = 0x12;
const ROOT_CHAR: u8 = b'\\';

/// SSDTs that are scanned when the DSDT does not say; S5 is defined in the DSDT in practice.
const MAX_SSDTS: usize = 32;

/// Looks in the DSDT, then in the SSDTs.
pub(crate) fn find_s5<'m>(tables: &Tables<'m>, phys: PhysMap<'_, 'm>, out: &mut AcpiInfo) {
    let dsdt = out
        .dsdt
        .and_then(|at| table(at, phys))
        .filter(|t| t.signature == *b"DSDT");
    let ssdts = tables
        .iter(phys)
        .filter(|t| t.signature == *b"SSDT")
        .take(MAX_SSDTS);
    out.s5 = dsdt
        .into_iter()
        .chain(ssdts)
        .find_map(|t| scan(&t.bytes[HEADER_LEN..]));
}

/// The first definition of `_S5_` that makes sense.
pub(crate) fn scan(aml: &[u8]) -> Option<SleepType> {
    let names = aml.windows(4).enumerate().filter(|(_, name)| name == b"_S5_");
    names
        .filter_map(|(at, _)| definition(&aml[..at], &aml[at + 4..]))
        .next()
}

/// The name must be defined here (`Name (_S5, ...)` or `Name (\_S5, ...)`), not merely used.
fn definition(before: &[u8], after: &[u8]) -> Option<SleepType> {
    let named = matches!(before, [.., NAME_OP] | [.., NAME_OP, ROOT_CHAR]);
    let ([PACKAGE_OP, package @ ..], true) = (after, named) else {
        return None;
    };
    // PkgLength: the two high bits of the first byte say how many bytes follow. Nothing here needs
    // its value, since no element is looked for beyond the first two.
    let extra = usize::from(package.first()? >> 6);
    let (&count, elements) = package.get(1 + extra..)?.split_first()?;
    let (first, rest) = integer(elements)?;
    let types = match count {
        0 => return None,
        // Old firmware packs both into one integer, as ACPICA knows too.
        1 => (first & 0xff, first >> 8 & 0xff),
        _ => (first, integer(rest)?.0),
    };
    let valid = |value: u32| u8::try_from(value).ok().filter(|&v| v <= 7);
    Some(SleepType {
        a: valid(types.0)?,
        b: valid(types.1)?,
    })
}

/// An integer constant (ACPI 6.5, 20.2.3) and what follows it.
fn integer(aml: &[u8]) -> Option<(u32, &[u8])> {
    let (&op, rest) = aml.split_first()?;
    match (op, rest) {
        (0x00, _) => Some((0, rest)),
        (0x01, _) => Some((1, rest)),
        (0x0a, [a, rest @ ..]) => Some((u32::from(*a), rest)),
        (0x0b, [a, b, rest @ ..]) => Some((u32::from(u16::from_le_bytes([*a, *b])), rest)),
        (0x0c, [a, b, c, d, rest @ ..]) => Some((u32::from_le_bytes([*a, *b, *c, *d]), rest)),
        _ => None,
    }
}
