//! The MMU as the generic kernel asks for it.

use core::ops::Range;

use kernel::arch::{FixedMapping, MmuOps, ShadowRoot};
use paging::{Cache, Half, Mapper, Prot, TableMemory};
use spin::Once;

use super::{early_physmap, features};
use crate::{Aarch64, console, layout};

impl MmuOps for Aarch64 {
    type Space<M: TableMemory> = Mapper<paging::Aarch64, M>;

    const IMAGE_BASE: usize = layout::IMAGE_BASE;
    const PHYSMAP_BASE: usize = layout::PHYSMAP_BASE;
    const PHYSMAP_SIZE: u64 = layout::PHYSMAP_SIZE;
    const VMAP: Range<usize> = layout::VMAP;
    const AREAS: Range<usize> = layout::AREAS;

    unsafe fn space<M: TableMemory>(root: u64, memory: M) -> Self::Space<M> {
        // SAFETY: the caller's promise.
        unsafe { Mapper::new(super::format(Half::Upper), root, memory) }
    }

    /// One page like any other will do.
    fn kernel_root() -> Option<u64> {
        None
    }

    /// The identity map secondaries come through maps nothing but code of the image, which does not move.
    fn shadow_roots() -> &'static [ShadowRoot] {
        &[]
    }

    fn early_reach() -> Range<u64> {
        early_physmap::reach()
    }

    fn fixed_mappings() -> &'static [FixedMapping] {
        static UART: Once<Option<FixedMapping>> = Once::new();
        UART.call_once(|| {
            let (va, pa) = console::registers()?;
            Some(FixedMapping {
                va,
                pa,
                len: 4096,
                prot: Prot::RW,
                cache: Cache::Device,
            })
        })
        .as_slice()
    }

    unsafe fn activate(root: u64) {
        // SAFETY: passed on.
        unsafe { super::activate(root) };
        features::enable();
    }

    fn tables_changed() {
        super::tables_changed();
    }

    fn flush_page(va: usize) {
        super::flush_local(va);
    }
}
