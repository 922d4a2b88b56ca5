//! Making and changing mappings.

use core::cell::Cell;

use crate::change::{check_prot, translation};
use crate::tables::{Table, Tables};
use crate::{
    Cache, Decoded, Flush, Format, Leaf, MapError, Mapping, PAGE_SIZE, Prot, TableMemory, Translation,
};

/// One address space: a root table and all that hangs below it.
///
/// Addresses and lengths are in bytes and must be multiples of [`PAGE_SIZE`]. A range may end at the very end
/// of the address space. A range of no bytes is never wrong and does nothing.
pub struct Mapper<F, M> {
    pub(crate) tables: Tables<F, M>,
    pub(crate) root: u64,
    pub(crate) top_generation: Cell<u64>,
}

impl<F: Format, M: TableMemory> Mapper<F, M> {
    /// The mapper for the tables below the root at this physical address.
    ///
    /// # Safety
    /// - `root` is a table of this format (an empty one will do), as is each one linked below it, and `mem` can
    ///   reach them all (see [`TableMemory`]).
    /// - Nobody else changes them while the mapper lives, unless it is only asked and changes nothing itself:
    ///   then it may see a change half made, but no entry torn and no table freed.
    /// - If a CPU runs on them, the caller answers for every change made through this mapper: code, stacks and
    ///   data in use stay mapped, new mappings do not make aliases that break Rust's rules, and stale
    ///   translations are flushed.
    pub unsafe fn new(format: F, root: u64, mem: M) -> Self {
        Self {
            tables: Tables { format, mem },
            root,
            top_generation: Cell::new(0),
        }
    }

    /// The same address space, with its [`top_generation`](Self::top_generation), going on with tables from
    /// another memory: a page allocator that takes over from the boot-time one.
    ///
    /// # Safety
    /// `mem` must reach all tables there are, those from the old memory included.
    pub unsafe fn with_memory<N: TableMemory>(self, mem: N) -> Mapper<F, N> {
        let tables = Tables {
            format: self.tables.format,
            mem,
        };
        Mapper {
            tables,
            root: self.root,
            top_generation: self.top_generation,
        }
    }

    /// Physical address of the root table.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// The format of the tables.
    pub fn format(&self) -> F {
        self.tables.format
    }

    /// The memory the tables come from.
    pub fn memory_mut(&mut self) -> &mut M {
        &mut self.tables.mem
    }

    /// Counts the changes to entries of the root table, of any kind. A copy of the root that was in step at
    /// one value is in step for as long as the value stays.
    pub fn top_generation(&self) -> u64 {
        self.top_generation.get()
    }

    /// Maps `len` bytes from `va` on to those from `pa` on, with the largest pages that alignment, the CPU
    /// and tables that already exist allow. Nothing needs to be flushed: neither x86 (SDM 4.10.2.3) nor
    /// aarch64 may remember that a translation was absent. But see [`X86Pae`] for its root.
    ///
    /// [`X86Pae`]: crate::X86Pae
    ///
    /// # Errors
    /// [`MapError`]: `WriteExec`, `Misaligned`, `OutsideSpace`, `PhysTooHigh`, `AlreadyMapped` if any part of
    /// the range is, `NoTableMemory`. Nothing is mapped then.
    pub fn map(&mut self, va: u64, pa: u64, len: u64, prot: Prot, cache: Cache) -> Result<(), MapError> {
        check_prot(prot)?;
        self.map_checked(va, Leaf { pa, prot, cache }, len)
    }

    /// As [`Self::map`], writable and executable both: for code that is not the kernel's and writes to itself, as firmware
    /// does while it moves, in a root that the kernel does not run on otherwise.
    ///
    /// # Errors
    /// As [`Self::map`], but for `WriteExec`.
    ///
    /// # Safety
    /// What is mapped must be trusted to be executed, whoever can write to it.
    pub unsafe fn map_write_exec(
        &mut self,
        va: u64,
        pa: u64,
        len: u64,
        cache: Cache,
    ) -> Result<(), MapError> {
        let prot = Prot::WRITE | Prot::EXEC;
        self.map_checked(va, Leaf { pa, prot, cache }, len)
    }

    fn map_checked(&mut self, va: u64, leaf: Leaf, len: u64) -> Result<(), MapError> {
        let range = self.offsets(va, len)?;
        self.check_phys(leaf.pa, len)?;
        self.prepare(Table::root(self.root), range.clone(), leaf.pa)?;
        self.fill(range, leaf);
        Ok(())
    }

    /// Unmaps whatever is mapped in the range, splitting pages that lie across its ends, and tells `removed`
    /// of each page, large or small, in rising order. The memory must not be reused before the flush.
    ///
    /// # Errors
    /// [`MapError`]: `Misaligned`, `OutsideSpace`, `NoTableMemory` if a page cannot be split. Nothing is
    /// unmapped then.
    pub fn unmap(&mut self, va: u64, len: u64, removed: impl FnMut(Mapping)) -> Result<Flush, MapError> {
        let range = self.offsets(va, len)?;
        self.split_ends(&range)?;
        Ok(self.clear(range, removed))
    }

    /// Changes the access to a range that is mapped without a gap, splitting pages that lie across its ends.
    ///
    /// # Errors
    /// [`MapError`]: `WriteExec`, `Misaligned`, `OutsideSpace`, `NotMapped`, `NoTableMemory` if a page cannot
    /// be split. No access is changed then.
    pub fn protect(&mut self, va: u64, len: u64, prot: Prot) -> Result<Flush, MapError> {
        check_prot(prot)?;
        let range = self.offsets(va, len)?;
        self.check_mapped(range.clone())?;
        self.split_ends(&range)?;
        Ok(self.change(range, |leaf| Leaf { prot, ..leaf }))
    }

    /// Where `va`, of any alignment, leads; nothing if it is not mapped or is no address of these tables.
    pub fn translate(&self, va: u64) -> Option<Translation> {
        let offset = self.offsets(va & !(PAGE_SIZE - 1), PAGE_SIZE).ok()?.start | (va % PAGE_SIZE);
        match self.tables.find(self.root, offset) {
            (slot, Decoded::Leaf(leaf)) => Some(translation(slot, leaf, offset)),
            _ => None,
        }
    }
}
