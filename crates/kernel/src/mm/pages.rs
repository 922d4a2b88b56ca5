//! The page allocator: a buddy allocator over the physmap.

use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use buddy_system_allocator::Heap;

use super::{InPhysmap, PAGE, phys_to_virt};
use crate::arch::Arch;
use crate::irq::Lock;

/// Blocks of up to 2^(ORDERS - 1) bytes: 4 GiB, or the half of a 32-bit address space.
const ORDERS: usize = if usize::BITS == 64 { 33 } else { 31 };

static PAGES: Lock<Heap<ORDERS>> = Lock::new(Heap::empty());
static READY: AtomicBool = AtomicBool::new(false);
static RAM: AtomicU64 = AtomicU64::new(0);
static LEFT: AtomicU64 = AtomicU64::new(0);

/// Adds free RAM.
///
/// # Safety
/// Nobody uses these pages.
pub(super) unsafe fn add<A: Arch>(ram: InPhysmap) {
    let start = phys_to_virt::<A>(ram).expose_provenance();
    // SAFETY: the caller's, and the physmap shows them.
    unsafe { PAGES.lock().add_to_heap(start, start + ram.bytes()) };
}

/// So many bytes of RAM are out of reach.
pub(super) fn leave(bytes: u64) {
    LEFT.store(bytes, Ordering::Relaxed);
}

/// All RAM in reach has been added; `ram` bytes in all, used or not.
pub(super) fn open(ram: u64) {
    RAM.store(ram, Ordering::Relaxed);
    READY.store(true, Ordering::Release);
}

pub(super) fn is_ready() -> bool {
    READY.load(Ordering::Acquire)
}

/// Pages in a row, in the physmap; not zeroed.
pub(super) fn alloc(bytes: usize) -> Option<NonNull<u8>> {
    alloc_layout(page_layout(bytes)?)
}

fn page_layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_next_multiple_of(PAGE)?, PAGE).ok()
}

/// As [`alloc()`], with an alignment of its own.
pub(super) fn alloc_layout(layout: Layout) -> Option<NonNull<u8>> {
    if !is_ready() {
        return None;
    }
    let layout = layout.align_to(PAGE).ok()?.pad_to_align();
    PAGES.lock().alloc(layout).ok()
}

/// Gives pages back.
///
/// # Safety
/// `start` came from [`alloc_layout`] with the same layout, and is not used any more.
pub(super) unsafe fn free(start: NonNull<u8>, layout: Layout) {
    if let Ok(layout) = layout.align_to(PAGE) {
        // SAFETY: the caller's.
        unsafe { PAGES.lock().dealloc(start, layout.pad_to_align()) };
    }
}

/// Where the RAM went, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// RAM that there is.
    pub ram: u64,
    /// What of it is out of this kernel's reach, and left alone.
    pub left: u64,
    /// Free pages.
    pub free: u64,
}

impl Usage {
    /// Words for what is left alone; none if nothing is.
    pub(crate) fn left_alone(&self) -> LeftAlone {
        LeftAlone(self.left)
    }

    /// RAM in use: image, tables, heap, stacks, boot-time data, and what firmware and initrd hold.
    pub fn used(&self) -> u64 {
        self.ram.saturating_sub(self.left).saturating_sub(self.free)
    }
}

/// Bytes that are out of reach, in words.
pub(crate) struct LeftAlone(u64);

impl fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            left => write!(f, ", {} KiB left alone", left >> 10),
        }
    }
}

/// Where the RAM went.
pub fn usage() -> Usage {
    let pages = PAGES.lock();
    let free = pages.stats_total_bytes() - pages.stats_alloc_actual();
    let left = LEFT.load(Ordering::Relaxed);
    Usage {
        ram: RAM.load(Ordering::Relaxed) + left,
        left,
        free: free as u64,
    }
}
