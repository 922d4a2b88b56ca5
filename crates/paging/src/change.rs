//! The steps that the mapper's calls are made of.
//!
//! Whatever can fail comes first and changes no translation: checks, new tables, splits. Then leaves are
//! written, which cannot fail. So there is nothing to roll back, and no translation is live for a moment that
//! some TLB might keep.

use core::ops::{ControlFlow, Range};

use crate::tables::{Slot, Table, pieces};
use crate::{
    Decoded, Entry, Flush, Format, Leaf, MapError, Mapper, Mapping, PAGE_SIZE, Prot, TableMemory, Translation,
};

impl<F: Format, M: TableMemory> Mapper<F, M> {
    /// The offsets of a range of addresses.
    pub(crate) fn offsets(&self, va: u64, len: u64) -> Result<Range<u64>, MapError> {
        check_aligned(va)?;
        check_aligned(len)?;
        let start = va & ((1 << F::VA_BITS) - 1);
        let end = start.checked_add(len).filter(|&end| end <= 1 << F::VA_BITS);
        let end = end.ok_or(MapError::OutsideSpace { va })?;
        // Two addresses of the space may have the hole between its halves between them: then the last address
        // is not where counting leads.
        let straight = len == 0 || self.va(end - 1) == va.wrapping_add(len - 1);
        if self.va(start) == va && straight {
            Ok(start..end)
        } else {
            Err(MapError::OutsideSpace { va })
        }
    }

    /// The address at an offset.
    fn va(&self, offset: u64) -> u64 {
        self.tables.format.extend(offset)
    }

    pub(crate) fn check_phys(&self, pa: u64, len: u64) -> Result<(), MapError> {
        check_aligned(pa)?;
        match pa.checked_add(len.saturating_sub(1)) {
            Some(last) if last >> self.tables.format.phys_bits() == 0 => Ok(()),
            _ => Err(MapError::PhysTooHigh { pa }),
        }
    }

    pub(crate) fn check_mapped(&self, range: Range<u64>) -> Result<(), MapError> {
        let hole = self.visit(range, |_, part, decoded| match decoded {
            Decoded::Leaf(_) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(part.start),
        });
        hole.map_or(Ok(()), |offset| Err(MapError::NotMapped { va: self.va(offset) }))
    }

    /// Checks that nothing is mapped in a range and makes the tables it needs, so that afterwards every walk
    /// in the range ends at a slot that one leaf fills.
    pub(crate) fn prepare(&mut self, table: Table<F>, range: Range<u64>, pa: u64) -> Result<(), MapError> {
        let start = range.start;
        for piece in pieces(range, F::shift(table.level)) {
            let pa = pa + (piece.start - start);
            let slot = table.slot(piece.start);
            let below = match self.tables.decode(slot) {
                Decoded::Leaf(leaf) => return Err(self.already_mapped(slot, leaf, piece.start)),
                Decoded::Table(below) => table.below(below),
                Decoded::Absent if self.leaf_fits(slot, &piece, pa) => continue,
                Decoded::Absent => self.link_new_table(slot)?,
            };
            self.prepare(below, piece, pa)?;
        }
        Ok(())
    }

    fn already_mapped(&self, slot: Slot<F>, leaf: Leaf, offset: u64) -> MapError {
        MapError::AlreadyMapped {
            va: self.va(offset),
            old: translation(slot, leaf, offset),
        }
    }

    fn leaf_fits(&self, slot: Slot<F>, piece: &Range<u64>, pa: u64) -> bool {
        let whole = piece.end - piece.start == slot.size() && pa & (slot.size() - 1) == 0;
        whole && self.tables.format.leaf_allowed(slot.table.level)
    }

    fn link_new_table(&mut self, slot: Slot<F>) -> Result<Table<F>, MapError> {
        let below = self.new_table(slot)?;
        self.write_table(slot, below);
        Ok(below)
    }

    /// A fresh table to be linked at `slot`.
    fn new_table(&mut self, slot: Slot<F>) -> Result<Table<F>, MapError> {
        let pa = self.tables.mem.alloc_table().ok_or(MapError::NoTableMemory)?;
        // Promised by `TableMemory`; but an address cut off would make a table of whatever is there.
        self.check_phys(pa, PAGE_SIZE)?;
        Ok(slot.table.below(pa))
    }

    /// Writes the leaves of a prepared range.
    pub(crate) fn fill(&self, range: Range<u64>, leaf: Leaf) {
        let start = range.start;
        self.each_end(range, |slot, part, _| {
            self.write_leaf(slot, leaf.advance(part.start - start))
        });
    }

    /// Makes the ends of a range ends of leaves, wherever they lie within one. No translation changes.
    pub(crate) fn split_ends(&mut self, range: &Range<u64>) -> Result<(), MapError> {
        if range.is_empty() {
            return Ok(());
        }
        self.split_at(range.start)?;
        // The end of the address space is looked up as its start, and found to be aligned to whatever is
        // there.
        self.split_at(range.end)
    }

    fn split_at(&mut self, offset: u64) -> Result<(), MapError> {
        while let (slot, Decoded::Leaf(leaf)) = self.tables.find(self.root, offset)
            && offset & (slot.size() - 1) != 0
        {
            self.split(slot, leaf)?;
        }
        Ok(())
    }

    /// Replaces a leaf by a table that maps the same.
    fn split(&mut self, slot: Slot<F>, leaf: Leaf) -> Result<(), MapError> {
        let below = self.new_table(slot)?;
        for (small, i) in below.slots().zip(0..) {
            self.write_leaf(small, leaf.advance(i * small.size()));
        }
        self.write_table(slot, below);
        Ok(())
    }

    /// Unmaps a range at whose ends leaves end.
    pub(crate) fn clear(&self, range: Range<u64>, mut removed: impl FnMut(Mapping)) -> Flush {
        let mut flush = Flush::NotNeeded;
        self.each_leaf(range, |slot, part, leaf| {
            self.write(slot, F::Entry::ABSENT);
            removed(self.mapping(&part, leaf));
            flush = Flush::Needed;
        });
        flush
    }

    /// Changes leaves in a range at whose ends leaves end. Those that are as wanted are not touched.
    pub(crate) fn change(&self, range: Range<u64>, new: impl Fn(Leaf) -> Leaf) -> Flush {
        let mut flush = Flush::NotNeeded;
        self.each_leaf(range, |slot, _, leaf| {
            let entry = self.tables.format.encode_leaf(slot.table.level, new(leaf));
            if !same::<F>(entry, self.tables.read(slot)) {
                self.write(slot, entry);
                flush = Flush::Needed;
            }
        });
        flush
    }

    /// The part of a leaf that lies at `part`, at the start of both.
    pub(crate) fn mapping(&self, part: &Range<u64>, leaf: Leaf) -> Mapping {
        let Leaf { pa, prot, cache } = leaf;
        Mapping {
            va: self.va(part.start),
            pa,
            len: part.end - part.start,
            prot,
            cache,
        }
    }

    pub(crate) fn each_leaf(&self, range: Range<u64>, mut f: impl FnMut(Slot<F>, Range<u64>, Leaf)) {
        self.each_end(range, |slot, part, decoded| {
            if let Decoded::Leaf(leaf) = decoded {
                f(slot, part, leaf);
            }
        });
    }

    fn each_end(&self, range: Range<u64>, mut f: impl FnMut(Slot<F>, Range<u64>, Decoded)) {
        let _: Option<()> = self.visit(range, |slot, part, decoded| {
            f(slot, part, decoded);
            ControlFlow::Continue(())
        });
    }

    /// [`Tables::visit`](crate::tables::Tables::visit) from the root; what `f` broke with.
    pub(crate) fn visit<B, V>(&self, range: Range<u64>, mut f: V) -> Option<B>
    where
        V: FnMut(Slot<F>, Range<u64>, Decoded) -> ControlFlow<B>,
    {
        self.tables
            .visit(Table::root(self.root), range, &mut f)
            .break_value()
    }

    fn write_leaf(&self, slot: Slot<F>, leaf: Leaf) {
        self.write(slot, self.tables.format.encode_leaf(slot.table.level, leaf));
    }

    fn write_table(&self, slot: Slot<F>, below: Table<F>) {
        self.write(slot, self.tables.format.encode_table(slot.table.level, below.pa));
    }

    fn write(&self, slot: Slot<F>, entry: F::Entry) {
        self.tables.write(slot, entry);
        if slot.is_top() {
            self.count_top_change();
        }
    }

    pub(crate) fn count_top_change(&self) {
        self.top_generation.set(self.top_generation.get() + 1);
    }
}

/// Whether two entries mean the same.
pub(crate) fn same<F: Format>(a: F::Entry, b: F::Entry) -> bool {
    (a.into() ^ b.into()) & !F::HARDWARE_BITS == 0
}

pub(crate) fn translation<F: Format>(slot: Slot<F>, leaf: Leaf, offset: u64) -> Translation {
    let Leaf { pa, prot, cache } = leaf.advance(offset & (slot.size() - 1));
    Translation {
        pa,
        prot,
        cache,
        size: slot.size(),
    }
}

pub(crate) fn check_prot(prot: Prot) -> Result<(), MapError> {
    if prot.contains(Prot::WRITE | Prot::EXEC) {
        Err(MapError::WriteExec)
    } else {
        Ok(())
    }
}

fn check_aligned(value: u64) -> Result<(), MapError> {
    if value.is_multiple_of(PAGE_SIZE) {
        Ok(())
    } else {
        Err(MapError::Misaligned { value })
    }
}
