use super::*;
use crate::{MemKind, testing::XorShift};

fn file(name: &str, data: &[u8]) -> Vec<u8> {
    let field = |value: usize| format!("{value:08x}");
    let head = [
        1,
        0o100_644,
        0,
        0,
        1,
        0,
        data.len(),
        0,
        0,
        0,
        0,
        name.len() + 1,
        0,
    ]
    .map(field)
    .concat();
    let mut out = [b"070701", head.as_bytes(), name.as_bytes(), b"\0"].concat();
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn archive() -> Vec<u8> {
    [
        file("init", b"#!/bin/sh\n"),
        file("etc/empty", b""),
        file("TRAILER!!!", b""),
    ]
    .concat()
}

fn names(bytes: &[u8]) -> (Vec<&str>, bool) {
    let mut archive = Archive::new(bytes);
    let names = archive.by_ref().map(|e| e.name).collect();
    (names, archive.is_complete())
}

#[test]
fn lists_files_and_knows_a_whole_archive() {
    let bytes = archive();
    assert_eq!(names(&bytes), (vec!["init", "etc/empty"], true));
    let first = Archive::new(&bytes).next().unwrap();
    assert_eq!((first.data, first.mode), (&b"#!/bin/sh\n"[..], 0o100_644));
    let two = [&bytes[..], &[0; 388], &bytes, &[0; 8]].concat();
    assert_eq!(
        names(&two),
        (vec!["init", "etc/empty", "init", "etc/empty"], true)
    );
}

#[test]
fn tells_a_damaged_archive() {
    let bytes = archive();
    for len in 0..bytes.len() - 3 {
        assert!(!names(&bytes[..len]).1, "cut at {len}");
    }
    assert_eq!(
        names(&[&bytes[..], b"junk"].concat()),
        (vec!["init", "etc/empty"], false)
    );
    let mut wrong = bytes.clone();
    wrong[60] = b'z';
    assert_eq!(names(&wrong), (vec![], false));
    assert_eq!(names(b""), (vec![], false));
}

#[test]
fn mutants_neither_panic_nor_hang() {
    let (whole, mut rng) = (archive(), XorShift(0xc910));
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        rng.damage(&mut bytes, 4);
        assert!(names(&bytes).0.len() <= 3, "a damaged trailer is a file at most");
    }
}

#[test]
fn formats_by_their_first_bytes() {
    assert_eq!(Format::of(&archive()), Format::Cpio);
    assert_eq!(Format::of(&[0x1f, 0x8b, 8]), Format::Gzip);
    assert_eq!(Format::of(&[0x28, 0xb5, 0x2f, 0xfd]), Format::Zstd);
    assert_eq!(Format::of(b"07070"), Format::Unknown);
    assert_eq!(Format::of(b""), Format::Unknown);
}

#[test]
fn one_that_overlaps_the_kernel_is_refused_late() {
    let mut map = MemMap::EMPTY;
    map.push(0x1000, 0x10000, MemKind::Usable);
    let good = Initrd::check(0x4000, 0x1000, &map);
    assert_eq!(
        good.clone().outside(&(0x5000..0x9000)).range(),
        Some(0x4000..0x5000)
    );
    let refused = good.clone().outside(&(0x4fff..0x9000));
    assert!(matches!(
        refused,
        Initrd::Refused {
            start: 0x4000,
            len: 0x1000,
            why: InitrdRefusal::OverlapsKernel
        }
    ));
    let mut memblock: Memblock = Memblock::new();
    good.reserve_in(&mut memblock).unwrap();
    refused.reserve_in(&mut memblock).unwrap();
    assert_eq!(memblock.reserved().iter().collect::<Vec<_>>().len(), 1);
    assert!(memblock.is_reserved(0x4000, 0x1000));
}
