//! Access to the tables: slots, the walk down to them, and the walk over a range.

use core::{
    marker::PhantomData,
    ops::{ControlFlow, Range},
};

use crate::{Decoded, Entry, Format, TableMemory};

/// A table, as met on a walk.
#[derive(Clone, Copy)]
pub(crate) struct Table<F> {
    pub pa: u64,
    pub level: u32,
    format: PhantomData<F>,
}

/// One entry's place.
#[derive(Clone, Copy)]
pub(crate) struct Slot<F> {
    pub table: Table<F>,
    pub index: usize,
}

impl<F: Format> Table<F> {
    pub fn root(pa: u64) -> Self {
        Self {
            pa,
            level: F::LEVELS - 1,
            format: PhantomData,
        }
    }

    /// The table one level down. Never asked of level 0, where entries are leaves or absent.
    pub fn below(self, pa: u64) -> Self {
        Self {
            pa,
            level: self.level - 1,
            format: PhantomData,
        }
    }

    /// The slot that translates `offset`.
    pub fn slot(self, offset: u64) -> Slot<F> {
        let index = (offset >> F::shift(self.level)) as usize & (F::slots(self.level) - 1);
        Slot { table: self, index }
    }

    /// All slots.
    pub fn slots(self) -> impl Iterator<Item = Slot<F>> {
        (0..F::slots(self.level)).map(move |index| Slot { table: self, index })
    }
}

impl<F: Format> Slot<F> {
    /// Bytes that one entry here covers.
    pub fn size(self) -> u64 {
        1 << F::shift(self.table.level)
    }

    pub fn is_top(self) -> bool {
        self.table.level == F::LEVELS - 1
    }
}

/// Cuts a range of offsets at the multiples of `1 << shift`.
pub(crate) fn pieces(range: Range<u64>, shift: u32) -> impl Iterator<Item = Range<u64>> {
    let mut start = range.start;
    core::iter::from_fn(move || {
        let end = (((start >> shift) + 1) << shift).min(range.end);
        let piece = start..end;
        start = end;
        (piece.start < piece.end).then_some(piece)
    })
}

/// Tables of one format in one memory. Positions are offsets: addresses without the bits that only
/// sign-extend, so that the end of a range never overflows.
pub(crate) struct Tables<F, M> {
    pub format: F,
    pub mem: M,
}

impl<F: Format, M: TableMemory> Tables<F, M> {
    pub fn read(&self, slot: Slot<F>) -> F::Entry {
        // SAFETY: slots are made for tables that were met below a root (`Mapper::new` vouches for the root)
        // or fresh from `alloc_table`, with an index within the table; `TableMemory` vouches for the pointer.
        unsafe { F::Entry::load(self.entry_ptr(slot)) }
    }

    /// One store, after everything that was stored before.
    pub fn write(&self, slot: Slot<F>, entry: F::Entry) {
        // SAFETY: as in `read`.
        unsafe { entry.store(self.entry_ptr(slot)) }
    }

    fn entry_ptr(&self, slot: Slot<F>) -> *mut F::Entry {
        self.mem
            .table_ptr(slot.table.pa)
            .cast::<F::Entry>()
            .wrapping_add(slot.index)
    }

    pub fn decode(&self, slot: Slot<F>) -> Decoded {
        self.format.decode(slot.table.level, self.read(slot))
    }

    /// Where the walk for `offset` ends: a slot with a leaf or with nothing.
    pub fn find(&self, root: u64, offset: u64) -> (Slot<F>, Decoded) {
        let mut slot = Table::root(root).slot(offset);
        loop {
            match self.decode(slot) {
                Decoded::Table(pa) => slot = slot.table.below(pa).slot(offset),
                end => return (slot, end),
            }
        }
    }

    /// Calls `f` in rising order for every slot in the range where a walk ends, with the part of the range
    /// that lies in it, until `f` breaks. `f` may overwrite the slot.
    pub fn visit<B, V>(&self, table: Table<F>, range: Range<u64>, f: &mut V) -> ControlFlow<B>
    where
        V: FnMut(Slot<F>, Range<u64>, Decoded) -> ControlFlow<B>,
    {
        for piece in pieces(range, F::shift(table.level)) {
            let slot = table.slot(piece.start);
            match self.decode(slot) {
                Decoded::Table(pa) => self.visit(table.below(pa), piece, f)?,
                end => f(slot, piece, end)?,
            }
        }
        ControlFlow::Continue(())
    }
}
