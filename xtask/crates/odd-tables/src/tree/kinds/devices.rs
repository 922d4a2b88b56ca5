//! The kinds: other devices, and the blob itself.

use super::super::parts::{GICD, GICR, Node, UART, cells, gic_v3, node, text, wide};
use super::super::{BLOB_AT, Kind, Odd};
use super::{page, refused, word};

/// A word of the header.
fn header(blob: &mut [u8], word: usize, value: u32) {
    blob[4 * word..4 * word + 4].copy_from_slice(&value.to_be_bytes());
}

/// Nodes within each other.
fn nested(depth: u64) -> Node {
    (1..depth).fold(node("deep", &[]), |inner, _| node("deep", &[]).holding([inner]))
}

/// Every kind.
pub const KINDS: &[Kind] = &[
    // The interrupt controller.
    ("no-gic", |_, mut parts| {
        parts.gic.clear();
        Odd {
            gic: None,
            ..parts.odd()
        }
    }),
    ("gic-is-another", |_, mut parts| {
        // Says that it is a GICv2, with the CPU interface where such a machine has it and this one has nothing.
        let v2 = parts.gic[0]
            .clone()
            .with("compatible", text("arm,cortex-a15-gic"));
        parts.gic = vec![v2.with("reg", wide(&[GICD, 0x1_0000, 0x801_0000, 0x1_0000]))];
        parts.odd()
    }),
    ("gic-in-ram", |r, mut parts| {
        let at = page(r);
        parts.gic = vec![gic_v3(at, GICR)];
        Odd {
            gic: Some(at),
            ..parts.odd()
        }
    }),
    ("gicr-in-ram", |r, mut parts| {
        parts.gic = vec![gic_v3(GICD, page(r))];
        parts.odd()
    }),
    ("no-redistributors", |_, mut parts| {
        let alone = wide(&[GICD, 0x1_0000]);
        parts.gic = vec![parts.gic[0].clone().with("reg", alone)];
        parts.odd()
    }),
    ("gic-without-registers", |_, mut parts| {
        parts.gic = vec![parts.gic[0].clone().without("reg")];
        Odd {
            gic: None,
            ..parts.odd()
        }
    }),
    ("too-many-redistributor-regions", |r, mut parts| {
        let count = cells(&[r.any() as u32 | 2]);
        parts.gic = vec![parts.gic[0].clone().with("#redistributor-regions", count)];
        parts.odd()
    }),
    ("two-gics", |r, mut parts| {
        parts.gic.push(gic_v3(page(r), page(r)));
        parts.odd()
    }),
    ("gic-without-phandle", |_, mut parts| {
        parts.gic = vec![parts.gic[0].clone().without("phandle")];
        parts.odd()
    }),
    // The console.
    ("console-in-ram", |r, mut parts| {
        let at = page(r);
        parts.uart = parts.uart.map(|uart| uart.with("reg", wide(&[at, 0x1000])));
        Odd {
            console: Some(at),
            ..parts.odd()
        }
    }),
    ("console-nowhere", |_, mut parts| {
        parts.chosen = parts.chosen.with("stdout-path", text("/serial@1234"));
        Odd {
            console: None,
            ..parts.odd()
        }
    }),
    ("console-by-alias", |_, mut parts| {
        let path = text(&format!("/pl011@{UART:x}"));
        parts.more.push(node("aliases", &[("serial0", path)]));
        parts.chosen = parts.chosen.with("stdout-path", text("serial0:115200n8"));
        parts.odd()
    }),
    ("console-no-alias", |_, mut parts| {
        parts.chosen = parts.chosen.with("stdout-path", text("serial7"));
        Odd {
            console: None,
            ..parts.odd()
        }
    }),
    // The blob.
    ("newer-version", |r, parts| {
        let mut odd = parts.odd();
        header(&mut odd.blob, 5, r.within(18, 99) as u32);
        odd
    }),
    ("too-new", |r, parts| {
        let mut blob = parts.blob();
        header(&mut blob, 6, r.within(18, 99) as u32);
        refused(blob, "device tree version not supported")
    }),
    ("larger-than-it-needs", |r, parts| {
        let mut odd = parts.odd();
        odd.blob.extend(r.bytes(4 * r.clone().within(1, 0x4000)));
        let len = odd.blob.len() as u32;
        header(&mut odd.blob, 1, len);
        odd.held[0].end = BLOB_AT + u64::from(len);
        odd
    }),
    ("cut-off", |r, parts| {
        let mut blob = parts.blob();
        blob.truncate(r.within(0x100, blob.len() as u64 - 1) as usize);
        refused(blob, "device tree cut short")
    }),
    ("deep", |r, mut parts| {
        parts.more.push(nested(r.within(5, 14)));
        parts.odd()
    }),
    ("too-deep", |r, mut parts| {
        parts.more.push(nested(r.within(17, 60)));
        refused(parts.blob(), "device tree too deep")
    }),
    ("no-end", |_, parts| {
        let mut blob = parts.blob();
        let end = word(&blob, 2) + word(&blob, 9);
        blob[end - 4..end].copy_from_slice(&[0, 0, 0, 4]);
        refused(blob, "device tree structure malformed")
    }),
];
