//! Physical memory of a guest, page by page as it is asked for.

use std::cell::{RefCell, UnsafeCell};
use std::collections::HashMap;

use paging::TableMemory;

/// Bytes of a page.
pub const PAGE: u64 = paging::PAGE_SIZE;

/// Physical memory that does not change.
///
/// # Safety
/// [`page`](Self::page) points to a whole page of bytes that nobody writes, and that stays where it is while `self` lives.
pub unsafe trait Memory {
    /// The page that `pa` lies in. What cannot be read is zero.
    fn page(&self, pa: u64) -> *mut u8;

    /// `len` bytes from `pa` on; those behind the end of its page are left out.
    fn read(&self, pa: u64, len: usize) -> Vec<u8> {
        let offset = (pa % PAGE) as usize;
        let len = len.min(PAGE as usize - offset);
        // SAFETY: the trait's promise.
        let page = unsafe { &*self.page(pa).cast::<[u8; PAGE as usize]>() };
        page[offset..offset + len].to_vec()
    }
}

/// Where pages come from.
pub trait Source {
    /// The page at this physical address; nothing if it cannot be read.
    fn page(&mut self, pa: u64) -> Option<[u8; PAGE as usize]>;
}

#[repr(C, align(4096))]
struct Page(UnsafeCell<[u8; PAGE as usize]>);

/// Memory of a guest that does not run: what was read once stays as it is.
pub struct Cache<'a> {
    source: RefCell<&'a mut dyn Source>,
    pages: RefCell<HashMap<u64, Box<Page>>>,
}

impl<'a> Cache<'a> {
    /// Memory of which nothing has been read.
    pub fn new(source: &'a mut dyn Source) -> Self {
        Self {
            source: RefCell::new(source),
            pages: RefCell::new(HashMap::new()),
        }
    }
}

// SAFETY: pages are boxes of a page's size and alignment; none is written, moved or freed before the cache is.
unsafe impl Memory for Cache<'_> {
    fn page(&self, pa: u64) -> *mut u8 {
        let at = pa & !(PAGE - 1);
        let mut pages = self.pages.borrow_mut();
        let page = pages.entry(at).or_insert_with(|| {
            let bytes = self.source.borrow_mut().page(at);
            Box::new(Page(UnsafeCell::new(bytes.unwrap_or([0; PAGE as usize]))))
        });
        page.0.get().cast()
    }
}

/// The memory as a mapper that changes nothing reads it.
pub struct Tables<'m>(pub &'m dyn Memory);

// SAFETY: no table is ever given out. A pointer leads to the bytes of a whole page that stays where it is while the memory
// lives, at the offset of a root that is smaller than a page; entries do not lie across its end.
unsafe impl TableMemory for Tables<'_> {
    fn alloc_table(&mut self) -> Option<u64> {
        None
    }

    fn table_ptr(&self, pa: u64) -> *mut u8 {
        self.0.page(pa).wrapping_add((pa % PAGE) as usize)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Pages that are there; counts how often it is asked.
    #[derive(Default)]
    pub struct Fake {
        pub pages: HashMap<u64, [u8; PAGE as usize]>,
        pub asked: usize,
    }

    impl Fake {
        pub fn write(&mut self, pa: u64, bytes: &[u8]) {
            for (at, byte) in (pa..).zip(bytes) {
                let page = self.pages.entry(at & !(PAGE - 1)).or_insert([0; PAGE as usize]);
                page[(at % PAGE) as usize] = *byte;
            }
        }
    }

    impl Source for Fake {
        fn page(&mut self, pa: u64) -> Option<[u8; PAGE as usize]> {
            self.asked += 1;
            self.pages.get(&pa).copied()
        }
    }

    #[test]
    fn a_page_is_read_once_and_what_is_not_there_is_zero() {
        let mut fake = Fake::default();
        fake.write(0x1ffe, &[1, 2, 3]);
        {
            let memory = Cache::new(&mut fake);
            assert_eq!(memory.read(0x1ffe, 3), [1, 2], "a read ends with its page");
            assert_eq!(memory.read(0x2000, 2), [3, 0]);
            assert_eq!(memory.read(0x1fff, 1), [2]);
            assert_eq!(memory.read(0xffff_ffff_ffff_f000, 2), [0, 0]);
        }
        assert_eq!(fake.asked, 3);
    }
}
