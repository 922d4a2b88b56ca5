//! The heap: `talc` over blocks from the page allocator.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use super::pages;

/// Bytes the heap asks the page allocator for at a time.
const BLOCK_BYTES: usize = 64 << 10;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// The page allocator, as `talc` wants to see it.
#[derive(Debug)]
struct PageSource;

// SAFETY: pages are given out once, as large and as aligned as asked.
unsafe impl GlobalAlloc for PageSource {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = pages::alloc_layout(layout);
        if block.is_some() {
            TAKEN.fetch_add(layout.size(), Ordering::Relaxed);
        }
        block.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if let Some(start) = NonNull::new(start) {
            TAKEN.fetch_sub(layout.size(), Ordering::Relaxed);
            // SAFETY: the caller's.
            unsafe { pages::free(start, layout) };
        }
    }
}

type Source = talc::source::GlobalAllocSource<PageSource>;

#[cfg_attr(target_os = "none", global_allocator)]
static HEAP: talc::TalcLock<crate::irq::RawIrqLock, Source> =
    talc::TalcLock::new(Source::with_block_size(PageSource, BLOCK_BYTES));

/// Bytes that were asked of the heap and not given back, to the byte.
pub fn allocated_bytes() -> usize {
    HEAP.lock().counters().allocated_bytes
}

/// Bytes the heap holds, in use or not.
pub fn heap_bytes() -> usize {
    TAKEN.load(Ordering::Relaxed)
}
