//! The 3-level tables of 32-bit x86 with PAE. Intel SDM volume 3A, 4.4 "PAE paging".

use super::x86::{self, X86Features};
use crate::{Decoded, Format, Leaf};

/// 3-level tables: 32-bit addresses, physical ones of 36 bits and more; pages of 4 KiB and 2 MiB; NX as a
/// feature.
///
/// The root has four entries, and the CPU reads them only when `CR3` is loaded (SDM 4.4.1): after the root
/// has changed ([`Mapper::top_generation`](crate::Mapper::top_generation)), each CPU must load it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct X86Pae {
    features: X86Features,
    phys_bits: u32,
}

impl X86Pae {
    /// The format for a CPU with these features and `phys_bits` bits of physical address (CPUID 8000_0008
    /// EAX\[7:0\], 36 where there is no such leaf), which are taken to be 32 at least and 52 at most. PSE and
    /// GIB mean nothing here.
    pub const fn new(features: X86Features, phys_bits: u32) -> Self {
        Self {
            features,
            phys_bits: super::clamp(phys_bits, 32, 52),
        }
    }
}

impl Format for X86Pae {
    const NAME: &'static str = "PAE";
    type Entry = u64;
    const VA_BITS: u32 = 32;
    const TABLE_BITS: u32 = 9;
    const HARDWARE_BITS: u64 = x86::HARDWARE_BITS;

    fn extend(&self, offset: u64) -> u64 {
        offset
    }

    fn phys_bits(&self) -> u32 {
        self.phys_bits
    }

    fn leaf_allowed(&self, level: u32) -> bool {
        level < 2
    }

    fn enforces_no_exec(&self) -> bool {
        self.features.contains(X86Features::NX)
    }

    fn encode_leaf(&self, level: u32, leaf: Leaf) -> u64 {
        x86::encode_leaf(self.features, level, leaf)
    }

    fn encode_table(&self, level: u32, pa: u64) -> u64 {
        if level == 2 {
            x86::encode_pae_root(pa)
        } else {
            x86::encode_table(pa)
        }
    }

    fn decode(&self, level: u32, entry: u64) -> Decoded {
        x86::decode(level, entry, self.leaf_allowed(level))
    }
}
