//! The 2-level tables of the i386. Intel SDM volume 3A, 4.3 "32-bit paging".

use super::x86::{self, X86Features};
use crate::{Decoded, Format, Leaf};

/// 2-level tables: 32-bit addresses on both sides; pages of 4 KiB and, as a feature, 4 MiB. There is no NX:
/// what is not to be executed is only remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct X86Legacy {
    features: X86Features,
}

impl X86Legacy {
    /// The format for a CPU with these features; NX and GIB mean nothing here.
    pub const fn new(features: X86Features) -> Self {
        Self {
            features: features.difference(X86Features::NX),
        }
    }
}

impl Format for X86Legacy {
    const NAME: &'static str = "2-level";
    type Entry = u32;
    const VA_BITS: u32 = 32;
    const TABLE_BITS: u32 = 10;
    const HARDWARE_BITS: u64 = x86::HARDWARE_BITS;

    fn extend(&self, offset: u64) -> u64 {
        offset
    }

    fn phys_bits(&self) -> u32 {
        // PSE-36 would give 4 MiB pages a few more, in bits that elsewhere mean other things: PAE is better.
        32
    }

    fn leaf_allowed(&self, level: u32) -> bool {
        level == 0 || (level == 1 && self.features.contains(X86Features::PSE))
    }

    fn enforces_no_exec(&self) -> bool {
        false
    }

    fn encode_leaf(&self, level: u32, leaf: Leaf) -> u32 {
        // All bits lie in the lower half: the address by the trait's promise, and there is no NX.
        x86::encode_leaf(self.features, level, leaf) as u32
    }

    fn encode_table(&self, _level: u32, pa: u64) -> u32 {
        x86::encode_table(pa) as u32
    }

    fn decode(&self, level: u32, entry: u32) -> Decoded {
        // Without PSE the bit is ignored (SDM 4.3: CR4.PSE = 0, "references a page table").
        x86::decode(level, entry.into(), self.leaf_allowed(level))
    }
}
