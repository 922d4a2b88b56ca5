//! Memory: three windows of address space, page tables kept W^X, pages, a heap, and stacks with guard pages.

mod heap;
mod init;
pub(crate) mod map;
mod pages;
mod phase;
mod resync;
mod shadow;
mod stack;

use core::sync::atomic::{AtomicU64, Ordering};

use boot_info::Memblock;
use paging::{Cache, PAGE_SIZE, Prot};

pub use heap::{allocated_bytes, heap_bytes};
pub(crate) use init::{growth, hand_over_memblock, paging_init};
pub(crate) use map::{Piece, is_writable, map_pieces, write_exec_page, zeroed_ram};
pub use map::{add_to_physmap, ioremap, is_mapped, kernel_root, physical_address};
pub use pages::{Usage, usage};
pub use phase::{Areas, Mapped, Phase, Running};
pub use resync::{Changed, Synced, enter_at_the_end, resync};
pub use shadow::Mismatch;
pub use stack::{STACK_BYTES, Stack};

use crate::arch::Arch;
pub use crate::arch::{InStep, OutOfMemory};
use crate::image;
use crate::irq::Lock;

/// Bytes in a page, as an address.
pub const PAGE: usize = PAGE_SIZE as usize;

/// RAM, and what of it is taken, until the page allocator knows.
pub(crate) static MEMBLOCK: Lock<Memblock> = Lock::new(Memblock::new());

/// Physical address of `_text`.
static IMAGE_PHYS: AtomicU64 = AtomicU64::new(0);

/// Where physical address `pa`, which must be RAM, appears in the physmap.
pub fn phys_to_virt<A: Arch>(pa: u64) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut(physmap_address::<A>(pa))
}

fn physmap_address<A: Arch>(pa: u64) -> usize {
    A::PHYSMAP_BASE.wrapping_add(pa.wrapping_sub(A::PHYSMAP_FIRST) as usize)
}

/// The physical addresses the physmap window has room for.
fn physmap_reach<A: Arch>() -> core::ops::Range<u64> {
    A::PHYSMAP_FIRST..A::PHYSMAP_FIRST + A::PHYSMAP_SIZE
}

/// The physical address behind an address in the physmap or the image; `None` for others.
pub fn virt_to_phys<A: Arch>(va: usize) -> Option<u64> {
    if image::range().contains(&va) {
        return Some(IMAGE_PHYS.load(Ordering::Relaxed) + (va - image::text()) as u64);
    }
    let offset = va.checked_sub(A::PHYSMAP_BASE)? as u64;
    (offset < A::PHYSMAP_SIZE).then(|| A::PHYSMAP_FIRST + offset)
}

/// A read-only view of memory that firmware filled: ACPI tables, the device tree. From the physmap if it is RAM the kernel
/// mapped, else through a new mapping that stays.
pub fn firmware_slice<A: Arch>(pa: u64, len: usize) -> Option<&'static [u8]> {
    let end = pa.checked_add(len as u64)?;
    let mapped = physmap_reach::<A>().contains(&pa)
        && is_mapped::<A>(physmap_address::<A>(pa))
        && is_mapped::<A>(physmap_address::<A>(end.saturating_sub(1).max(pa)));
    let ram = MEMBLOCK.lock().is_memory(pa, len as u64);
    let start = match mapped && ram {
        true => phys_to_virt::<A>(pa).cast_const(),
        false => map::map_physical::<A>(pa, len, Prot::RO, Cache::WriteBack)
            .ok()?
            .cast_const(),
    };
    // SAFETY: the range is mapped for reading, for ever, and belongs to firmware tables that nobody writes.
    Some(unsafe { core::slice::from_raw_parts(start, len) })
}
