//! Entries computed by hand from the manuals' tables.

use paging::{
    Aarch64, Cache, Decoded, Entry, Format, Half, Leaf, Prot, X86_64, X86Features, X86Legacy, X86Pae,
};
use proptest::prelude::*;

const NONE: X86Features = X86Features::empty();
const ALL: X86Features = X86Features::all();
const G: Prot = Prot::GLOBAL;

fn ram(pa: u64, prot: Prot) -> Leaf {
    Leaf {
        pa,
        prot,
        cache: Cache::WriteBack,
    }
}

fn device(pa: u64, prot: Prot) -> Leaf {
    Leaf {
        pa,
        prot,
        cache: Cache::Device,
    }
}

/// The entry is as computed and means what it was made of.
fn is<F: Format>(format: F, level: u32, leaf: Leaf, entry: u64) {
    let encoded = format.encode_leaf(level, leaf);
    assert_eq!(
        encoded.into(),
        entry,
        "{encoded:#x} is not {entry:#x}, of {leaf:?}"
    );
    assert_eq!(format.decode(level, encoded), Decoded::Leaf(leaf));
}

#[test]
fn x86_64_leaves() {
    let format = X86_64::new(ALL, 52);
    is(format, 0, ram(0x1000, Prot::RO), 0x8000_0000_0000_1061);
    is(format, 0, ram(0x1000, Prot::RW), 0x8000_0000_0000_1063);
    is(format, 0, ram(0x1000, Prot::RX), 0x1061);
    is(format, 0, ram(0x1000, Prot::RX | G), 0x1161);
    is(format, 0, device(0xfee0_0000, Prot::RW), 0x8000_0000_fee0_007b);
    is(
        format,
        0,
        ram(0x000f_ffff_ffff_f000, Prot::RX),
        0x000f_ffff_ffff_f061,
    );
    is(format, 1, ram(0x0020_0000, Prot::RW | G), 0x8000_0000_0020_01e3);
    is(format, 2, ram(0x4000_0000, Prot::RX), 0x4000_00e1);
}

#[test]
fn x86_64_without_features() {
    let format = X86_64::new(NONE, 40);
    assert!(!format.enforces_no_exec() && format.leaf_allowed(1) && !format.leaf_allowed(2));
    is(format, 0, ram(0x1000, Prot::RW), 0x1263);
    is(format, 1, ram(0x0020_0000, Prot::RX), 0x0020_00e1);
    assert_eq!(format.encode_leaf(0, ram(0x1000, Prot::RX | G)), 0x1061);
}

#[test]
fn x86_64_other_entries() {
    let format = X86_64::new(ALL, 40);
    assert_eq!(format.encode_table(3, 0x5000), 0x5023);
    assert_eq!(format.decode(3, 0x5003), Decoded::Table(0x5000));
    assert_eq!(format.decode(0, 0x5062), Decoded::Absent);
    // Reserved: a PML4 entry with PS, and a PDPT entry with PS on a CPU without 1 GiB pages.
    assert_eq!(format.decode(3, 0x5083), Decoded::Absent);
    assert_eq!(X86_64::new(NONE, 40).decode(2, 0x83), Decoded::Absent);
    // Bit 7 of a page is PAT, bit 12 of a large page too.
    assert_eq!(format.decode(0, 0x50e1), Decoded::Leaf(ram(0x5000, Prot::RX)));
    assert_eq!(
        format.decode(1, 0x0020_10e1),
        Decoded::Leaf(ram(0x0020_0000, Prot::RX))
    );
    // What boot code writes: no marks, executable.
    assert_eq!(
        format.decode(1, 0x83),
        Decoded::Leaf(ram(0, Prot::WRITE | Prot::EXEC))
    );
}

#[test]
fn x86_legacy() {
    let format = X86Legacy::new(ALL);
    assert!(!format.enforces_no_exec() && format.leaf_allowed(1));
    is(format, 0, ram(0xffff_f000, Prot::RW), 0xffff_f263);
    is(format, 0, ram(0x1000, Prot::RX | G), 0x1161);
    is(format, 0, device(0xfec0_0000, Prot::RW), 0xfec0_027b);
    is(format, 1, ram(0x0040_0000, Prot::RW), 0x0040_02e3);
    is(format, 1, ram(0xffc0_0000, Prot::RX | G), 0xffc0_01e1);
    assert_eq!(format.encode_table(1, 0xffff_f000), 0xffff_f023);
    assert_eq!(format.decode(1, 0x5003), Decoded::Table(0x5000));
}

#[test]
fn x86_legacy_without_features() {
    let format = X86Legacy::new(NONE);
    assert!(!format.leaf_allowed(1));
    is(format, 0, ram(0x1000, Prot::RX), 0x1061);
    // The CPU ignores PS.
    assert_eq!(format.decode(1, 0x5083), Decoded::Table(0x5000));
}

#[test]
fn x86_pae() {
    let format = X86Pae::new(ALL, 36);
    is(format, 0, ram(0xf_ffff_f000, Prot::RW | G), 0x8000_000f_ffff_f163);
    is(format, 1, ram(0x1_0020_0000, Prot::RX), 0x1_0020_00e1);
    is(X86Pae::new(NONE, 36), 1, ram(0x0020_0000, Prot::RO), 0x0020_02e1);
    assert_eq!(format.encode_table(2, 0x5000), 0x5001);
    assert_eq!(format.encode_table(1, 0x5000), 0x5023);
    assert!(!format.leaf_allowed(2));
    assert_eq!((X86Pae::LEVELS, X86Pae::slots(2), X86Pae::slots(1)), (3, 4, 512));
}

#[test]
fn aarch64() {
    let format = Aarch64::new(Half::Upper, 48);
    assert_eq!(Aarch64::MAIR, 0x04ff);
    is(format, 0, ram(0x1000, Prot::RW), 0x0060_0000_0000_1f03);
    is(format, 0, ram(0x1000, Prot::RO | G), 0x0060_0000_0000_1783);
    is(
        format,
        0,
        ram(0xffff_ffff_f000, Prot::RX | G),
        0x0040_ffff_ffff_f783,
    );
    is(
        format,
        0,
        device(0x0900_0000, Prot::RW | G),
        0x0060_0000_0900_0407,
    );
    is(format, 1, ram(0x4000_0000, Prot::RW | G), 0x0060_0000_4000_0701);
    is(
        format,
        2,
        device(0x4000_0000, Prot::RW | G),
        0x0060_0000_4000_0405,
    );
    assert_eq!(format.encode_table(3, 0x5000), 0x5003);
    assert_eq!(format.decode(3, 0x5003), Decoded::Table(0x5000));
}

#[test]
fn aarch64_reserved_blocks_fault() {
    let format = Aarch64::new(Half::Lower, 48);
    for level in [0, 3] {
        assert_eq!(format.decode(level, 0x701), Decoded::Absent);
    }
    for level in 0..4 {
        assert_eq!(format.decode(level, 0x702), Decoded::Absent);
    }
}

#[test]
fn geometry() {
    assert_eq!((X86_64::LEVELS, X86Legacy::LEVELS, Aarch64::LEVELS), (4, 2, 4));
    assert_eq!([0, 1, 2, 3].map(X86_64::shift), [12, 21, 30, 39]);
    assert_eq!([0, 1].map(X86Legacy::shift), [12, 22]);
    assert_eq!([0, 1, 2].map(X86Pae::shift), [12, 21, 30]);
    assert_eq!(
        (X86_64::slots(3), X86Legacy::slots(0), X86Legacy::slots(1)),
        (512, 1024, 1024)
    );
    assert_eq!(
        X86_64::new(ALL, 40).extend(0x8000_0000_0000),
        0xffff_8000_0000_0000
    );
    assert_eq!(X86_64::new(ALL, 40).extend(0x7fff_ffff_ffff), 0x7fff_ffff_ffff);
    assert_eq!(Aarch64::new(Half::Upper, 40).extend(0), 0xffff_0000_0000_0000);
    assert_eq!(Aarch64::new(Half::Lower, 40).extend(5), 5);
}

#[test]
fn phys_bits_are_clamped() {
    assert_eq!(
        [0, 32, 40, 52, 99].map(|bits| X86_64::new(ALL, bits).phys_bits()),
        [32, 32, 40, 52, 52]
    );
    assert_eq!(
        [0, 36, 99].map(|bits| X86Pae::new(ALL, bits).phys_bits()),
        [32, 36, 52]
    );
    assert_eq!(
        [0, 99].map(|bits| Aarch64::new(Half::Upper, bits).phys_bits()),
        [32, 48]
    );
    assert_eq!(X86Legacy::new(ALL).phys_bits(), 32);
}

/// Decoding and encoding again changes no more than the format may forget: nothing here panics, whatever the
/// entry.
fn survives<F: Format>(format: F, entries: impl Iterator<Item = F::Entry>) {
    for entry in entries {
        for level in 0..F::LEVELS {
            match format.decode(level, entry) {
                Decoded::Leaf(leaf) => {
                    assert!(format.leaf_allowed(level));
                    let again = format.decode(level, format.encode_leaf(level, leaf));
                    assert_eq!(again, Decoded::Leaf(leaf));
                }
                Decoded::Table(pa) => assert!(level > 0 && pa % 4096 == 0 && pa >> 52 == 0),
                Decoded::Absent => {}
            }
        }
        assert_eq!(format.decode(0, F::Entry::ABSENT), Decoded::Absent);
    }
}

proptest! {
    #[test]
    fn any_entry(entry: u64) {
        let present = [entry, entry | 1, entry | 3];
        survives(X86_64::new(ALL, 52), present.into_iter());
        survives(X86Pae::new(ALL, 52), present.into_iter());
        survives(X86Legacy::new(ALL), present.into_iter().map(|entry| entry as u32));
        survives(Aarch64::new(Half::Upper, 48), present.into_iter());
    }
}
