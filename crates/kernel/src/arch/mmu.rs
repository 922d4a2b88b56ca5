//! Page tables and windows of the address space.

use core::ops::Range;

use paging::{Cache, Prot, Space, TableMemory};

/// A mapping that must be there from the moment the final tables are on.
#[derive(Clone, Copy, Debug)]
pub struct FixedMapping {
    /// First virtual address, page aligned.
    pub va: usize,
    /// First physical address, page aligned.
    pub pa: u64,
    /// Bytes, whole pages.
    pub len: usize,
    /// Access.
    pub prot: Prot,
    /// Memory type.
    pub cache: Cache,
}

/// A second root table that must agree with the kernel's in some slots: i386's `initial_page_table`, x86_64's
/// `trampoline_pgd`. Whoever runs on it (a starting CPU, EFI, the real-mode reboot) dies if it does not.
#[derive(Clone, Copy, Debug)]
pub struct ShadowRoot {
    /// As in reports.
    pub name: &'static str,
    /// Physical address of the root table.
    pub root: u64,
    /// Slots of the kernel's root, and the first slot of the shadow they are copied to.
    pub copies: &'static [(Slots, usize)],
}

/// A half-open range of slots; `core::ops::Range` is not `Copy`.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// First slot.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// The MMU. The kernel has three windows of address space: the image at the address it is linked for, all RAM in a row
/// (physmap), and one where pages are mapped singly (vmap: stacks, device registers; in a part of its own, per-CPU areas).
pub trait MmuOps {
    /// Tables of the kernel's format, or formats, with the features this CPU has.
    type Space<M: TableMemory>: Space;

    /// First address of the image window, where `_text` is linked.
    const IMAGE_BASE: usize;
    /// Where physical address 0 appears.
    const PHYSMAP_BASE: usize;
    /// Bytes of RAM the physmap can hold; RAM above is reported and left alone.
    const PHYSMAP_SIZE: u64;
    /// The vmap window.
    const VMAP: Range<usize>;
    /// Where per-CPU areas are mapped, in an SMP build. Where there are shadow roots it shares no top-level entry with
    /// anything else, so that the areas of a boot are missing from a shadow that is not brought in step after they were made.
    const AREAS: Range<usize>;

    /// The address space below `root`. Which format it has is settled once the command line has been read.
    ///
    /// # Safety
    /// As for [`paging::Mapper::new`].
    unsafe fn space<M: TableMemory>(root: u64, memory: M) -> Self::Space<M>;

    /// Physical address of the zeroed page that shall become the kernel's root table, where the architecture has one of
    /// its own (`swapper_pg_dir`); else one is allocated.
    fn kernel_root() -> Option<u64>;

    /// The tables that must be kept in step with the kernel's root; empty where there is none.
    fn shadow_roots() -> &'static [ShadowRoot];

    /// RAM that the physmap window reaches before the final tables are on; at least 2 MiB of it besides the image.
    fn early_reach() -> Range<u64>;

    /// What must be mapped beside image and physmap from the first moment (the early console's registers). Asked once.
    fn fixed_mappings() -> &'static [FixedMapping];

    /// Makes `root` the executing CPU's kernel root and flushes all translations, global ones too.
    ///
    /// # Safety
    /// `root` must map all that is running: image, stack, physmap.
    unsafe fn activate(root: u64);

    /// Called after mappings were added, before they are used: the barrier that makes table writes visible to table
    /// walks, where the architecture needs one (`dsb ishst; isb`).
    fn tables_changed();

    /// Drops the executing CPU's translation of one page.
    fn flush_page(va: usize);
}
