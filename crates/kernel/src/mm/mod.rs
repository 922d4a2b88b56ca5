//! Memory: three windows of address space, page tables kept W^X, pages, a heap, and stacks with guard pages.

mod heap;
mod init;
pub(crate) mod map;
mod pages;
mod phase;
mod physmap;
mod resync;
mod shadow;
mod stack;
mod unfit;

use core::sync::atomic::{AtomicU64, Ordering};

use boot_info::Memblock;
use paging::{Cache, PAGE_SIZE, Prot};

pub use heap::{allocated_bytes, heap_bytes};
pub(crate) use init::{growth, hand_over_memblock, leave_unreachable, paging_init};
pub(crate) use map::{Piece, is_writable, map_pieces, write_exec_page, zeroed_ram};
pub use map::{TablePages, add_to_physmap, ioremap, is_mapped, kernel_root, physical_address};
pub use pages::{Usage, usage};
pub use phase::{Areas, Mapped, Phase, Running};
pub use physmap::phys_to_virt;
pub use resync::{Changed, Synced, enter_at_the_end, resync};
pub use shadow::Mismatch;
pub use stack::{STACK_BYTES, Stack};
pub(crate) use unfit::{Unfit, check_image};

use crate::arch::Arch;
pub use crate::arch::{EarlyRam, InPhysmap, InStep, OutOfMemory};
use crate::image;
use crate::irq::Lock;

/// Bytes in a page, as an address.
pub const PAGE: usize = PAGE_SIZE as usize;

/// RAM, and what of it is taken, until the page allocator knows.
pub(crate) static MEMBLOCK: Lock<Memblock> = Lock::new(Memblock::new());

/// Physical address of `_text`.
static IMAGE_PHYS: AtomicU64 = AtomicU64::new(0);

/// The physical address behind an address in the physmap or the image; `None` for others.
pub fn virt_to_phys<A: Arch>(va: usize) -> Option<u64> {
    if image::range().contains(&va) {
        return Some(IMAGE_PHYS.load(Ordering::Relaxed) + (va - image::text()) as u64);
    }
    let offset = va.checked_sub(A::PHYSMAP_BASE)? as u64;
    (offset < A::PHYSMAP_SIZE).then_some(offset)
}

/// A read-only view of memory that firmware filled: ACPI tables, the device tree. From the physmap if that shows it, else
/// through a new mapping that stays.
pub fn firmware_slice<A: Arch>(pa: u64, len: usize) -> Option<&'static [u8]> {
    pa.checked_add(len as u64)?;
    let start = match InPhysmap::find::<A>(pa, len) {
        Some(shown) => phys_to_virt::<A>(shown),
        None => map::map_physical::<A>(pa, len, Prot::RO, Cache::WriteBack).ok()?,
    }
    .cast_const();
    // SAFETY: the range is mapped for reading, for ever, and belongs to firmware tables that nobody writes.
    Some(unsafe { core::slice::from_raw_parts(start, len) })
}
