//! What a mapping is made of.

use bitflags::bitflags;

bitflags! {
    /// What may be done with a page, beyond reading it. Pages are the kernel's alone: user mode never has
    /// access.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Prot: u8 {
        /// May be written. On x86 the kernel itself is held to it only while `CR0.WP` is set.
        const WRITE = 1 << 0;
        /// May be executed. What lacks this flag is refused by the CPU only where
        /// [`enforces_no_exec`](crate::Format::enforces_no_exec) says so; the tables remember it in any case.
        const EXEC = 1 << 1;
        /// The same in all address spaces, so that the translation may outlive a switch between them. A hint:
        /// it is dropped where the CPU has no such thing.
        const GLOBAL = 1 << 2;
    }
}

impl Prot {
    /// Read-only data.
    pub const RO: Self = Self::empty();
    /// Data.
    pub const RW: Self = Self::WRITE;
    /// Code.
    pub const RX: Self = Self::EXEC;
}

/// How memory is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cache {
    /// RAM: write-back cached, coherent between CPUs.
    WriteBack,
    /// Device registers: not cached, each access made once, in order; writes may be posted. Never map a
    /// device executable: instruction fetches are speculative, and reading registers has effects.
    Device,
}

/// What a table entry that ends the walk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Physical address of its first byte, a multiple of the leaf's size.
    pub pa: u64,
    /// Access.
    pub prot: Prot,
    /// Memory type.
    pub cache: Cache,
}

impl Leaf {
    /// The same, `bytes` further on.
    pub(crate) fn advance(self, bytes: u64) -> Self {
        Self {
            pa: self.pa + bytes,
            ..self
        }
    }
}

/// Where one address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The physical address of that very byte.
    pub pa: u64,
    /// Access.
    pub prot: Prot,
    /// Memory type.
    pub cache: Cache,
    /// Bytes mapped by the table entry it was found in.
    pub size: u64,
}

/// A run of mapped addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First virtual address.
    pub va: u64,
    /// The physical address it leads to; those after it follow in step.
    pub pa: u64,
    /// Bytes.
    pub len: u64,
    /// Access.
    pub prot: Prot,
    /// Memory type.
    pub cache: Cache,
}

impl Mapping {
    /// Adds `next` if it goes on where this one ends, in both address spaces and with the same attributes.
    pub(crate) fn merge(&mut self, next: &Self) -> bool {
        // A run may end at 2^64; nothing comes after it, least of all at address 0.
        let end = Self {
            va: self.va.wrapping_add(self.len),
            pa: self.pa + self.len,
            len: next.len,
            ..*self
        };
        let joins = end == *next;
        if joins {
            self.len += next.len;
        }
        joins
    }
}

/// Whether translations that CPUs may hold in their TLBs have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "stale translations stay in use until they are flushed"]
pub enum Flush {
    /// Nothing that was live is different.
    NotNeeded,
    /// Something is: flush the range of the call on every CPU that uses the tables.
    Needed,
}
