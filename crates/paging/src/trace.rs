//! Why an address leads where it does: for whoever has to explain a fault.

use crate::tables::Table;
use crate::{Decoded, Format, Mapper, PAGE_SIZE, TableMemory};

/// One entry that the CPU reads on its way to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Level of the table it lies in, 0 for the tables whose entries map single pages.
    pub level: u32,
    /// Physical address of that table.
    pub table: u64,
    /// Which entry of it.
    pub slot: usize,
    /// What is in it.
    pub entry: u64,
    /// What that means. A table leads to the next step; anything else ends the walk.
    pub decoded: Decoded,
}

impl<F: Format, M: TableMemory> Mapper<F, M> {
    /// Tells `f` of each entry on the way to `va`, of any alignment, from the root down. Returns whether `va` is an address
    /// of these tables at all; if not, there are no steps.
    pub fn trace(&self, va: u64, mut f: impl FnMut(Step)) -> bool {
        let Ok(range) = self.offsets(va & !(PAGE_SIZE - 1), PAGE_SIZE) else {
            return false;
        };
        let mut table = Table::root(self.root);
        loop {
            let slot = table.slot(range.start);
            let decoded = self.tables.decode(slot);
            f(Step {
                level: table.level,
                table: table.pa,
                slot: slot.index,
                entry: self.tables.read(slot).into(),
                decoded,
            });
            match decoded {
                Decoded::Table(pa) => table = table.below(pa),
                _ => return true,
            }
        }
    }
}
