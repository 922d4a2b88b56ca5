//! The physmap: which physical memory has an address.

use core::ops::Range;

use boot_info::Memblock;
use paging::PAGE_SIZE;

use super::{EarlyRam, InPhysmap, PAGE, is_mapped, kernel_root};
use crate::arch::Arch;

impl InPhysmap {
    /// Asks the final page tables for `len` bytes from `start` on; `None` if some of them are not mapped, or there are no such
    /// tables yet.
    pub fn find<A: Arch>(start: u64, len: usize) -> Option<Self> {
        let end = start.checked_add(len as u64).filter(|end| *end > start)?;
        let reach = reach::<A>();
        let mut pages = (start & !(PAGE_SIZE - 1)..end).step_by(PAGE);
        let shown = kernel_root() != 0
            && (reach.start <= start && end <= reach.end)
            && pages.all(|page| is_mapped::<A>(address::<A>(page)));
        shown.then_some(Self::of_ram(start, len))
    }
}

/// Where the physmap shows this.
pub fn phys_to_virt<A: Arch>(at: InPhysmap) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut(address::<A>(at.start()))
}

/// Where physical address `pa` is, if the physmap shows it.
pub(super) fn address<A: Arch>(pa: u64) -> usize {
    A::PHYSMAP_BASE.wrapping_add(pa as usize)
}

/// The physical addresses the physmap window has room for. The final tables show all RAM in there, by whole pages.
pub(super) fn reach<A: Arch>() -> Range<u64> {
    0..A::PHYSMAP_SIZE
}

/// As much of it as the tables show that are on.
pub(super) fn reach_by_now<A: Arch>() -> Range<u64> {
    let (window, boot) = (reach::<A>(), A::early_reach());
    match kernel_root() {
        0 => window.start.max(boot.start)..window.end.min(boot.end),
        _ => window,
    }
}

impl<'a> EarlyRam<'a> {
    /// Of what `memblock` has, as much as the tables show that are on.
    pub(crate) fn new<A: Arch>(memblock: &'a mut Memblock) -> Self {
        Self::within(memblock, reach_by_now::<A>())
    }
}
