//! Root tables that must agree with another in some slots.
//!
//! A CPU that starts, or firmware that is called, runs on a root of its own, with the kernel's half as it was
//! when it was copied. Tables below the root are shared, so only a change of a root entry makes the copy
//! stale. [`Mapper::copy_top_entries`] makes it good, and [`Mapper::first_difference`] checks it before use.

use core::ops::Range;

use crate::tables::{Slot, Table};
use crate::{Decoded, Flush, Format, MapError, Mapper, TableMemory, change::same};

/// A slot in which two root tables disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The slot of the mapper's root.
    pub slot: usize,
    /// The entry there.
    pub ours: u64,
    /// The entry of the other root that should be equal.
    pub theirs: u64,
}

impl<F: Format, M: TableMemory> Mapper<F, M> {
    /// Copies entries `slots` of the root to another root, from its slot `first` on: to the same slots for a
    /// shadow of the kernel's half, to others for an alias of it. Entries that agree already are not touched.
    ///
    /// An alias carries [`Prot::GLOBAL`](crate::Prot::GLOBAL) along: where entries of the root are large
    /// pages, translations of the alias then outlive a change of the root, until global ones are flushed too.
    ///
    /// # Errors
    /// [`MapError::NoSuchSlots`], with nothing copied, if one of the roots does not have them all.
    ///
    /// # Safety
    /// `other` is a root table of this format that the mapper's memory can reach and that nobody else changes
    /// meanwhile. As for [`Mapper::new`], the caller answers for whoever runs on it.
    pub unsafe fn copy_top_entries(
        &self,
        other: u64,
        slots: Range<usize>,
        first: usize,
    ) -> Result<Flush, MapError> {
        let mut flush = Flush::NotNeeded;
        for (ours, theirs) in slot_pairs::<F>(self.root, slots, other, first)? {
            let (new, old) = (self.tables.read(ours), self.tables.read(theirs));
            if same::<F>(new, old) {
                continue;
            }
            if self.tables.decode(theirs) != Decoded::Absent {
                flush = Flush::Needed;
            }
            self.tables.write(theirs, new);
            if other == self.root {
                self.count_top_change();
            }
        }
        Ok(flush)
    }

    /// The first of the entries `slots` of the root that another root does not have, from its slot `first`
    /// on. Marks that the CPU leaves in entries do not count.
    ///
    /// # Errors
    /// [`MapError::NoSuchSlots`] if one of the roots does not have them all.
    ///
    /// # Safety
    /// `other` is a root table of this format that the mapper's memory can reach.
    pub unsafe fn first_difference(
        &self,
        other: u64,
        slots: Range<usize>,
        first: usize,
    ) -> Result<Option<Difference>, MapError> {
        let mut pairs = slot_pairs::<F>(self.root, slots, other, first)?;
        Ok(pairs.find_map(|(ours, theirs)| {
            let (a, b) = (self.tables.read(ours), self.tables.read(theirs));
            (!same::<F>(a, b)).then(|| Difference {
                slot: ours.index,
                ours: a.into(),
                theirs: b.into(),
            })
        }))
    }
}

/// The slots of two roots that belong together.
fn slot_pairs<F: Format>(
    root: u64,
    slots: Range<usize>,
    other: u64,
    first: usize,
) -> Result<impl Iterator<Item = (Slot<F>, Slot<F>)>, MapError> {
    let there = F::slots(F::LEVELS - 1);
    let last = first.checked_add(slots.len()).ok_or(MapError::NoSuchSlots)?;
    if slots.end > there || last > there {
        return Err(MapError::NoSuchSlots);
    }
    let slot = |pa, index| Slot {
        table: Table::root(pa),
        index,
    };
    Ok(slots
        .zip(first..)
        .map(move |(ours, theirs)| (slot(root, ours), slot(other, theirs))))
}
