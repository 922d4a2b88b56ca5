//! The 4-level tables of x86-64. Intel SDM volume 3A, 4.5 "4-level paging".

use super::x86::{self, X86Features};
use crate::{Decoded, Format, Leaf};

/// 4-level tables: 48-bit addresses, sign extended; pages of 4 KiB, 2 MiB and, as a feature, 1 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct X86_64 {
    features: X86Features,
    phys_bits: u32,
}

impl X86_64 {
    /// The format for a CPU with these features and `phys_bits` bits of physical address (CPUID 8000_0008
    /// EAX\[7:0\]), which are taken to be 32 at least and 52 at most.
    pub const fn new(features: X86Features, phys_bits: u32) -> Self {
        Self {
            features,
            phys_bits: super::clamp(phys_bits, 32, 52),
        }
    }
}

impl Format for X86_64 {
    const NAME: &'static str = "4-level";
    type Entry = u64;
    const VA_BITS: u32 = 48;
    const TABLE_BITS: u32 = 9;
    const HARDWARE_BITS: u64 = x86::HARDWARE_BITS;

    fn extend(&self, offset: u64) -> u64 {
        (((offset << 16) as i64) >> 16) as u64
    }

    fn phys_bits(&self) -> u32 {
        self.phys_bits
    }

    fn leaf_allowed(&self, level: u32) -> bool {
        level < 2 || (level == 2 && self.features.contains(X86Features::GIB))
    }

    fn enforces_no_exec(&self) -> bool {
        self.features.contains(X86Features::NX)
    }

    fn encode_leaf(&self, level: u32, leaf: Leaf) -> u64 {
        x86::encode_leaf(self.features, level, leaf)
    }

    fn encode_table(&self, _level: u32, pa: u64) -> u64 {
        x86::encode_table(pa)
    }

    fn decode(&self, level: u32, entry: u64) -> Decoded {
        let large = self.leaf_allowed(level);
        // Where large pages do not exist the bit is reserved: an access faults.
        if !large && x86::is_large(entry) {
            Decoded::Absent
        } else {
            x86::decode(level, entry, large)
        }
    }
}
