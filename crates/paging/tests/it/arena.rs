//! Tables in the test's own memory, under made-up physical addresses.

use std::cell::UnsafeCell;

use paging::{Decoded, Format, Mapper, TableMemory};

#[repr(C, align(4096))]
struct Page(UnsafeCell<[u64; 512]>);

/// Tables at physical addresses from a base on, and a budget to run out of.
pub struct Arena {
    pages: Vec<Box<Page>>,
    base: u64,
    /// Tables that `alloc_table` will still give.
    pub budget: usize,
}

impl Arena {
    pub fn at(base: u64) -> Self {
        Self {
            pages: Vec::new(),
            base,
            budget: usize::MAX,
        }
    }

    /// A mapper with an empty root.
    pub fn mapper<F: Format>(format: F) -> Mapper<F, Self> {
        let mut arena = Self::at(0x0123_4000);
        let root = arena.alloc_table().unwrap();
        // SAFETY: the root is an empty table that only this mapper knows and no CPU runs on.
        unsafe { Mapper::new(format, root, arena) }
    }

    pub fn tables(&self) -> usize {
        self.pages.len()
    }

    /// The bytes of entry `index`, `size` of them, in the table at `pa`.
    pub fn entry(&self, pa: u64, index: usize, size: usize) -> u64 {
        let at = self.table_ptr(pa).wrapping_add(index * size);
        // SAFETY: within a page of the arena, aligned, and nobody writes meanwhile.
        unsafe {
            if size == 4 {
                at.cast::<u32>().read().into()
            } else {
                at.cast::<u64>().read()
            }
        }
    }

    /// Overwrites a `u64` entry, as boot code or the CPU would.
    pub fn poke(&self, pa: u64, index: usize, entry: u64) {
        assert!(index < 512);
        // SAFETY: within a page of the arena, aligned, and nobody else looks meanwhile.
        unsafe { self.table_ptr(pa).cast::<u64>().add(index).write(entry) }
    }

    /// The tables that can be reached from a root. If it is all there are, none is lost.
    pub fn reachable<F: Format>(&self, format: F, pa: u64, level: u32) -> usize {
        let size = size_of::<F::Entry>();
        let below = (0..F::slots(level)).map(|index| {
            // SAFETY: an aligned entry of a table of the arena.
            let entry = unsafe { paging::Entry::load(self.table_ptr(pa).wrapping_add(index * size).cast()) };
            match format.decode(level, entry) {
                Decoded::Table(below) => self.reachable(format, below, level - 1),
                _ => 0,
            }
        });
        1 + below.sum::<usize>()
    }
}

// SAFETY: each page is zeroed, used once, page aligned, and stays where it is while the arena lives.
unsafe impl TableMemory for Arena {
    fn alloc_table(&mut self) -> Option<u64> {
        self.budget = self.budget.checked_sub(1)?;
        self.pages.push(Box::new(Page(UnsafeCell::new([0; 512]))));
        Some(self.base + 4096 * (self.pages.len() as u64 - 1))
    }

    fn table_ptr(&self, pa: u64) -> *mut u8 {
        assert!(pa >= self.base && pa.is_multiple_of(4096), "no table at {pa:#x}");
        self.pages[((pa - self.base) / 4096) as usize].0.get().cast()
    }
}
