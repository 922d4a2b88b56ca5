//! What a CPU does with the tables, written a second time from the manuals, bit by bit, so that it shares no
//! mistake with the crate's encoders.

use paging::{Aarch64, X86_64, X86Legacy, X86Pae};

use crate::arena::Arena;

/// What a CPU finds out about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub pa: u64,
    pub write: bool,
    pub exec: bool,
    pub global: bool,
    pub device: bool,
}

/// A format whose tables a CPU can be played for.
pub trait Walker {
    /// The translation of `va`; nothing if an access faults. Panics on bits that are reserved.
    fn walk(self, arena: &Arena, root: u64, va: u64) -> Option<Seen>;
}

/// One x86 level: where its index is in the address and whether a large page may be there.
struct Level {
    shift: u32,
    bits: u32,
    large: bool,
}

const fn level(shift: u32, bits: u32, large: bool) -> Level {
    Level { shift, bits, large }
}

impl Walker for X86_64 {
    fn walk(self, arena: &Arena, root: u64, va: u64) -> Option<Seen> {
        let gib = paging::Format::leaf_allowed(&self, 2);
        let levels = [
            level(39, 9, false),
            level(30, 9, gib),
            level(21, 9, true),
            level(12, 9, false),
        ];
        walk_x86(arena, root, va, &levels, 8)
    }
}

impl Walker for X86Legacy {
    fn walk(self, arena: &Arena, root: u64, va: u64) -> Option<Seen> {
        let pse = paging::Format::leaf_allowed(&self, 1);
        walk_x86(arena, root, va, &[level(22, 10, pse), level(12, 10, false)], 4)
    }
}

impl Walker for X86Pae {
    fn walk(self, arena: &Arena, root: u64, va: u64) -> Option<Seen> {
        let pdpte = arena.entry(root, (va >> 30) as usize, 8);
        if pdpte & 1 == 0 {
            return None;
        }
        assert_eq!(
            pdpte & (0b1_1110_0110 | 0xfff << 52),
            0,
            "reserved bits of a PDPTE: {pdpte:#x}"
        );
        walk_x86(
            arena,
            pdpte & !0xfff,
            va,
            &[level(21, 9, true), level(12, 9, false)],
            8,
        )
    }
}

fn walk_x86(arena: &Arena, root: u64, va: u64, levels: &[Level], size: usize) -> Option<Seen> {
    let (mut table, mut write, mut exec) = (root, true, true);
    for level in levels {
        let index = (va >> level.shift) as usize & ((1 << level.bits) - 1);
        let entry = arena.entry(table, index, size);
        if entry & 1 == 0 {
            return None;
        }
        write &= entry >> 1 & 1 == 1;
        exec &= entry >> 63 & 1 == 0;
        let address = entry & 0x000f_ffff_ffff_f000;
        let large = level.shift > 12 && entry >> 7 & 1 == 1;
        assert!(
            !large || level.large,
            "a large page where there is none: {entry:#x}"
        );
        if level.shift == 12 || large {
            assert_eq!(entry >> 2 & 1, 0, "user mode has access: {entry:#x}");
            assert_eq!(
                address & ((1 << level.shift) - 1),
                0,
                "the page is not aligned: {entry:#x}"
            );
            assert!(
                matches!(entry >> 3 & 0b11, 0b00 | 0b11),
                "neither WB nor UC: {entry:#x}"
            );
            let pa = address | va & ((1 << level.shift) - 1);
            return Some(Seen {
                pa,
                write,
                exec,
                global: entry >> 8 & 1 == 1,
                device: entry >> 4 & 1 == 1,
            });
        }
        table = address;
    }
    None
}

impl Walker for Aarch64 {
    fn walk(self, arena: &Arena, root: u64, va: u64) -> Option<Seen> {
        let mut table = root;
        for shift in [39, 30, 21, 12] {
            let entry = arena.entry(table, (va >> shift) as usize & 511, 8);
            let address = entry & 0x0000_ffff_ffff_f000;
            match (entry & 0b11, shift) {
                (0b11, 21..) => table = address,
                (0b11, 12) | (0b01, 21 | 30) => return Some(aarch64_leaf(entry, address, va, shift)),
                (0b01, _) => panic!("a block where there is none: {entry:#x}"),
                _ => return None,
            }
        }
        None
    }
}

fn aarch64_leaf(entry: u64, address: u64, va: u64, shift: u32) -> Seen {
    assert_eq!(
        address & ((1 << shift) - 1),
        0,
        "the block is not aligned: {entry:#x}"
    );
    assert_eq!(entry >> 6 & 1, 0, "user mode has access: {entry:#x}");
    assert_eq!(entry >> 10 & 1, 1, "the access flag is clear: {entry:#x}");
    assert_eq!(entry >> 54 & 1, 1, "user mode may execute it: {entry:#x}");
    let device = match Aarch64::MAIR >> (8 * (entry >> 2 & 7)) & 0xff {
        0xff => false,
        0x04 => true,
        other => panic!("memory type {other:#x}"),
    };
    assert!(
        device || entry >> 8 & 0b11 == 0b11,
        "RAM is not inner shareable: {entry:#x}"
    );
    Seen {
        pa: address | va & ((1 << shift) - 1),
        write: entry >> 7 & 1 == 0,
        exec: entry >> 53 & 1 == 0,
        global: entry >> 11 & 1 == 0,
        device,
    }
}
