//! The tables of aarch64 with pages of 4 KiB, stage 1, EL1&0.
//!
//! Arm ARM (DDI 0487), chapter D8, by title, for the numbers differ between issues: "VMSAv8-64 descriptor
//! formats" for tables, blocks and pages, "Memory access control" for AP, PXN and UXN, "Memory region
//! attributes" for AttrIndx and SH.

use crate::{Cache, Decoded, Format, Leaf, Prot};

/// Which root register the tables are for, and with it the addresses they translate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// `TTBR0_EL1`: addresses from 0.
    Lower,
    /// `TTBR1_EL1`: addresses from `0xffff_0000_0000_0000`, where the kernel is.
    Upper,
}

/// 4-level tables, 48-bit addresses; pages of 4 KiB, 2 MiB and 1 GiB.
///
/// A live large leaf must not be split (`protect` or `unmap` of a part of it) while a CPU may use it, unless
/// the CPU has FEAT_BBM at level 2: the architecture wants the old entry invalid and flushed before the new
/// one is written ("break before make": Arm ARM, "Using break-before-make when updating translation table
/// entries"), which a mapper that does no flushing cannot do. Map in pieces what is to be changed in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aarch64 {
    half: Half,
    phys_bits: u32,
}

const VALID: u64 = 1 << 0;
/// With [`VALID`]: a table, or at level 0 a page. Without: a block.
const TABLE_OR_PAGE: u64 = 1 << 1;
/// AttrIndx\[2:0\], an index into `MAIR_EL1`.
const ATTR_SHIFT: u32 = 2;
/// AP\[2\].
const READ_ONLY: u64 = 1 << 7;
/// SH\[1:0\] = 0b11. Means nothing for devices, which are outer shareable in any case.
const INNER_SHAREABLE: u64 = 0b11 << 8;
/// Set from the start: there is nobody to look at it, and a first access would fault.
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
/// PXN: the kernel cannot execute it.
const KERNEL_NX: u64 = 1 << 53;
/// UXN: user mode cannot execute it.
const USER_NX: u64 = 1 << 54;
/// Bits 47:12.
const ADDRESS: u64 = ((1 << 48) - 1) & !0xfff;

const WRITE_BACK: u64 = 0;
const DEVICE: u64 = 1;

impl Aarch64 {
    /// What `MAIR_EL1` has to be (Arm ARM, "MAIR_EL1, Memory Attribute Indirection Register"): attribute 0 is
    /// Normal, write-back, read and write allocate, non-transient (0xff), attribute 1 is Device-nGnRE (0x04).
    pub const MAIR: u64 = (0xff << (8 * WRITE_BACK)) | (0x04 << (8 * DEVICE));

    /// The format for tables of this half and `phys_bits` bits of physical address
    /// (`ID_AA64MMFR0_EL1.PARange`), which are taken to be 32 at least and 48 at most.
    pub const fn new(half: Half, phys_bits: u32) -> Self {
        Self {
            half,
            phys_bits: super::clamp(phys_bits, 32, 48),
        }
    }
}

impl Format for Aarch64 {
    const NAME: &'static str = "4 KiB granule";
    type Entry = u64;
    const VA_BITS: u32 = 48;
    const TABLE_BITS: u32 = 9;
    /// Hardware updates of access flag and dirty state are off (`TCR_EL1.HA`, `HD`).
    const HARDWARE_BITS: u64 = 0;

    fn extend(&self, offset: u64) -> u64 {
        match self.half {
            Half::Lower => offset,
            Half::Upper => offset | 0xffff << 48,
        }
    }

    fn phys_bits(&self) -> u32 {
        self.phys_bits
    }

    fn leaf_allowed(&self, level: u32) -> bool {
        level < 3
    }

    fn enforces_no_exec(&self) -> bool {
        true
    }

    fn encode_leaf(&self, level: u32, leaf: Leaf) -> u64 {
        let page = if level == 0 { TABLE_OR_PAGE } else { 0 };
        let memory = match leaf.cache {
            Cache::WriteBack => WRITE_BACK << ATTR_SHIFT | INNER_SHAREABLE,
            Cache::Device => DEVICE << ATTR_SHIFT,
        };
        leaf.pa | VALID | page | memory | ACCESSED | encode_prot(leaf.prot)
    }

    fn encode_table(&self, _level: u32, pa: u64) -> u64 {
        pa | VALID | TABLE_OR_PAGE
    }

    fn decode(&self, level: u32, entry: u64) -> Decoded {
        match (entry & VALID != 0, entry & TABLE_OR_PAGE != 0) {
            (true, true) if level > 0 => Decoded::Table(entry & ADDRESS),
            (true, page) if page == (level == 0) && self.leaf_allowed(level) => {
                Decoded::Leaf(decode_leaf(entry))
            }
            // A "block" at the bottom or the top is reserved, and faults.
            _ => Decoded::Absent,
        }
    }
}

/// The bits that are set say what is *not* allowed.
fn encode_prot(prot: Prot) -> u64 {
    let unless = |flag, bits| if prot.contains(flag) { 0 } else { bits };
    USER_NX
        | unless(Prot::WRITE, READ_ONLY)
        | unless(Prot::EXEC, KERNEL_NX)
        | unless(Prot::GLOBAL, NOT_GLOBAL)
}

fn decode_leaf(entry: u64) -> Leaf {
    let mut prot = Prot::empty();
    prot.set(Prot::WRITE, entry & READ_ONLY == 0);
    prot.set(Prot::EXEC, entry & KERNEL_NX == 0);
    prot.set(Prot::GLOBAL, entry & NOT_GLOBAL == 0);
    let cache = if entry >> ATTR_SHIFT & 0b111 == WRITE_BACK {
        Cache::WriteBack
    } else {
        Cache::Device
    };
    Leaf {
        pa: entry & ADDRESS,
        prot,
        cache,
    }
}
