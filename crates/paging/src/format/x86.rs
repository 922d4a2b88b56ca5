//! What the three x86 formats share: the low twelve bits and NX.
//!
//! Intel SDM volume 3A, chapter "Paging" (here with the numbers it has as chapter 4; recent editions have it
//! as 5): tables 4-4 to 4-6 for 32-bit paging, 4-8 to 4-11 for PAE, 4-15 to 4-20 for 4-level.

use bitflags::bitflags;

use crate::{Cache, Decoded, Leaf, Prot};

bitflags! {
    /// What the CPU's paging can do, as CPUID says.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct X86Features: u8 {
        /// Pages that cannot be executed: CPUID 8000_0001 EDX.NX, and `EFER.NXE` will be set.
        const NX = 1 << 0;
        /// Global pages: CPUID 1 EDX.PGE.
        const GLOBAL = 1 << 1;
        /// 4 MiB pages in the 32-bit format: CPUID 1 EDX.PSE, and `CR4.PSE` will be set. The others always
        /// have 2 MiB.
        const PSE = 1 << 2;
        /// 1 GiB pages in the 4-level format: CPUID 8000_0001 EDX.Page1GB.
        const GIB = 1 << 3;
    }
}

const PRESENT: u64 = 1 << 0;
const WRITE: u64 = 1 << 1;
const WRITE_THROUGH: u64 = 1 << 3;
const CACHE_DISABLE: u64 = 1 << 4;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
/// Ignored by the CPU (SDM: bits 11:9): "was to be NX", where the CPU has no such bit.
const SOFT_NX: u64 = 1 << 9;
const NX: u64 = 1 << 63;

/// The CPU sets these in entries it walks through; the dirty bit it leaves alone above the leaves.
pub(super) const HARDWARE_BITS: u64 = ACCESSED | DIRTY;

/// Bits 51:12. What an entry of fewer bits lacks is 0 anyway.
const ADDRESS: u64 = ((1 << 52) - 1) & !0xfff;

/// The bits of a leaf at `level`, address included.
///
/// Accessed and dirty are set from the start: there is nobody to look at them, and so the CPU need not write
/// to the tables. Device is PAT entry 3, which is UC both as the CPU comes up and as Linux sets it.
pub(super) fn encode_leaf(features: X86Features, level: u32, leaf: Leaf) -> u64 {
    let nx = if features.contains(X86Features::NX) {
        NX
    } else {
        SOFT_NX
    };
    let global = features.contains(X86Features::GLOBAL) && leaf.prot.contains(Prot::GLOBAL);
    leaf.pa
        | PRESENT
        | ACCESSED
        | DIRTY
        | flag(level > 0, LARGE)
        | flag(global, GLOBAL)
        | flag(leaf.prot.contains(Prot::WRITE), WRITE)
        | flag(!leaf.prot.contains(Prot::EXEC), nx)
        | flag(leaf.cache == Cache::Device, CACHE_DISABLE | WRITE_THROUGH)
}

const fn flag(on: bool, bits: u64) -> u64 {
    if on { bits } else { 0 }
}

/// The bits of an entry that leads to a table: everything allowed, the leaf decides. Accessed is set so that
/// two roots with the same entries stay equal.
pub(super) const fn encode_table(pa: u64) -> u64 {
    pa | PRESENT | WRITE | ACCESSED
}

/// The bits of an entry of a PAE root, which has no access rights: bits 2:1 and 8:5 must be 0 (SDM table
/// 4-8).
pub(super) const fn encode_pae_root(pa: u64) -> u64 {
    pa | PRESENT
}

/// What an entry means, for a level where a large page is (`large`) or is not possible. Not possible means
/// that the CPU ignores the bit (32-bit without PSE), or that it faults on it; the caller knows which.
pub(super) fn decode(level: u32, entry: u64, large: bool) -> Decoded {
    if entry & PRESENT == 0 {
        Decoded::Absent
    } else if level == 0 || (large && entry & LARGE != 0) {
        Decoded::Leaf(decode_leaf(level, entry))
    } else {
        Decoded::Table(entry & ADDRESS)
    }
}

fn decode_leaf(level: u32, entry: u64) -> Leaf {
    let mut prot = Prot::empty();
    prot.set(Prot::WRITE, entry & WRITE != 0);
    prot.set(Prot::EXEC, entry & (NX | SOFT_NX) == 0);
    prot.set(Prot::GLOBAL, entry & GLOBAL != 0);
    let cache = if entry & CACHE_DISABLE == 0 {
        Cache::WriteBack
    } else {
        Cache::Device
    };
    // Bit 12 of a large page is not address but PAT.
    let pat = flag(level > 0, 1 << 12);
    Leaf {
        pa: entry & ADDRESS & !pat,
        prot,
        cache,
    }
}

/// Whether the bit that makes a page large is set.
pub(super) const fn is_large(entry: u64) -> bool {
    entry & LARGE != 0
}
