//! How table entries are encoded.
//!
//! The formats are the only files of this crate that know an architecture. They touch no hardware.

pub(crate) mod aarch64;
pub(crate) mod x86;
pub(crate) mod x86_64;
pub(crate) mod x86_legacy;
pub(crate) mod x86_pae;

use core::{
    fmt,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use crate::Leaf;

/// Bits of an address within a page. All formats here have pages of 4 KiB.
pub const PAGE_SHIFT: u32 = 12;

/// Bytes of the smallest page.
pub const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;

/// A format of page tables, with the features of the CPU that will walk them.
///
/// Levels are counted from the bottom: a level 0 entry maps one page, the root is level `LEVELS - 1`.
pub trait Format: Copy {
    /// What such tables are called.
    const NAME: &'static str;

    /// One entry.
    type Entry: Entry;

    /// Bits of a virtual address that the tables translate.
    const VA_BITS: u32;

    /// Bits of a virtual address that one table translates; the root may have fewer.
    const TABLE_BITS: u32;

    /// Bits of an entry that the CPU itself may set, and that say nothing about the translation.
    const HARDWARE_BITS: u64;

    /// Levels of tables.
    const LEVELS: u32 = (Self::VA_BITS - PAGE_SHIFT).div_ceil(Self::TABLE_BITS);

    /// The lowest bit of a virtual address that selects an entry of a table at `level`: such an entry covers
    /// `1 << shift` bytes.
    fn shift(level: u32) -> u32 {
        PAGE_SHIFT + Self::TABLE_BITS * level
    }

    /// Entries in a table at `level`.
    fn slots(level: u32) -> usize {
        1 << Self::TABLE_BITS.min(Self::VA_BITS - Self::shift(level))
    }

    /// The address whose lowest `VA_BITS` bits are `offset`, with the upper ones the CPU wants to see.
    fn extend(&self, offset: u64) -> u64;

    /// Bits of a physical address that an entry may have, at most 52.
    fn phys_bits(&self) -> u32;

    /// Whether entries at `level` may map memory. True for level 0, and below any level it is true for.
    fn leaf_allowed(&self, level: u32) -> bool;

    /// Whether the CPU refuses to execute what is mapped without [`Prot::EXEC`](crate::Prot::EXEC).
    fn enforces_no_exec(&self) -> bool;

    /// The entry that maps `leaf`, whose address is a multiple of the entry's size and below `2^phys_bits`.
    fn encode_leaf(&self, level: u32, leaf: Leaf) -> Self::Entry;

    /// The entry at `level`, never 0, that leads to the table at `pa`.
    fn encode_table(&self, level: u32, pa: u64) -> Self::Entry;

    /// What an entry means to the CPU.
    fn decode(&self, level: u32, entry: Self::Entry) -> Decoded;
}

/// What an entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// An access faults.
    Absent,
    /// The walk goes on in the table at this physical address.
    Table(u64),
    /// The walk ends here.
    Leaf(Leaf),
}

/// The integer an entry is, `u32` or `u64`. Sealed.
pub trait Entry: Copy + Eq + fmt::Debug + fmt::LowerHex + Into<u64> + sealed::Sealed {
    /// The entry that maps nothing.
    const ABSENT: Self;

    /// Reads the entry in one access.
    ///
    /// # Safety
    /// `at` must be valid for atomic access and aligned.
    unsafe fn load(at: *mut Self) -> Self;

    /// Writes the entry in one access that follows all earlier ones (release).
    ///
    /// # Safety
    /// `at` must be valid for atomic access and aligned.
    unsafe fn store(self, at: *mut Self);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
}

impl Entry for u32 {
    const ABSENT: Self = 0;

    unsafe fn load(at: *mut Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { AtomicU32::from_ptr(at) }.load(Ordering::Acquire)
    }

    unsafe fn store(self, at: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { AtomicU32::from_ptr(at) }.store(self, Ordering::Release);
    }
}

// An x86 CPU that has 64-bit entries also has `cmpxchg8b`, so that even on i386 this is one access.
impl Entry for u64 {
    const ABSENT: Self = 0;

    unsafe fn load(at: *mut Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { AtomicU64::from_ptr(at) }.load(Ordering::Acquire)
    }

    unsafe fn store(self, at: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { AtomicU64::from_ptr(at) }.store(self, Ordering::Release);
    }
}

/// `Ord::clamp`, which is not `const`.
const fn clamp(value: u32, min: u32, max: u32) -> u32 {
    if value < min {
        min
    } else if value > max {
        max
    } else {
        value
    }
}
