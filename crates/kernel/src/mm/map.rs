//! The kernel's own address space, and its vmap window.

use core::marker::PhantomData;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use boot_info::memblock::Direction;
use paging::{Cache, PAGE_SIZE, Prot, Space, TableMemory};

use super::physmap::{self, phys_to_virt};
use super::{EarlyRam, InPhysmap, MEMBLOCK, OutOfMemory, PAGE, image, pages, virt_to_phys};
use crate::arch::{Arch, MmuOps};
use crate::inject::{self, Effect, Place};
use crate::irq::Lock;
use crate::warning;

/// Physical address of the root table; 0 before there is one. The host finds it by its name, which the compiler must not change.
#[used]
static ROOT: AtomicU64 = AtomicU64::new(0);
/// Counts changes of top-level entries since boot; see [`super::Synced`].
static TOP_GENERATION: AtomicU64 = AtomicU64::new(0);
/// Held by whoever changes the tables.
static TABLES: Lock<()> = Lock::new(());
/// Bytes of the vmap window given out. Address space is not given back: stacks and device mappings stay.
static VMAP_USED: AtomicUsize = AtomicUsize::new(0);

/// Where page tables come from and how they are reached.
#[derive(Debug)]
pub struct TablePages<A>(PhantomData<A>);

impl<A> TablePages<A> {
    /// New ones, and those that there are.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A> Default for TablePages<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// Tables of the kernel's.
pub(super) type Tables<A> = <A as MmuOps>::Space<TablePages<A>>;

// SAFETY: pages come zeroed from the page allocator or the memblock, which give each out once and in the physmap. A root that
// is a static of the image is in there, too: all of the image is RAM in reach, or there are no final tables.
unsafe impl<A: Arch> TableMemory for TablePages<A> {
    fn alloc_table(&mut self) -> Option<u64> {
        alloc_zeroed_pages::<A>(1).ok().map(InPhysmap::start)
    }

    fn table_ptr(&self, pa: u64) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(physmap::address::<A>(pa))
    }
}

/// `count` new pages in a row, zeroed: from the page allocator, or before it from the memblock.
pub(super) fn alloc_zeroed_pages<A: Arch>(count: usize) -> Result<InPhysmap, OutOfMemory> {
    let bytes = count.checked_mul(PAGE).ok_or(OutOfMemory)?;
    let pages = match pages::alloc(bytes) {
        Some(va) => virt_to_phys::<A>(va.addr().get())
            .map(|pa| InPhysmap::of_ram(pa, bytes))
            .ok_or(OutOfMemory)?,
        None if pages::is_ready() => return Err(OutOfMemory),
        None => EarlyRam::new::<A>(&mut MEMBLOCK.lock())
            .alloc(bytes, PAGE_SIZE, 0..u64::MAX, Direction::TopDown)
            .map_err(|_| OutOfMemory)?,
    };
    // SAFETY: the pages were just given out to this caller, and the physmap shows them.
    unsafe { phys_to_virt::<A>(pages).write_bytes(0, bytes) };
    Ok(pages)
}

/// RAM for ever, at least `len` bytes of it and whole pages, zeroed, where the physmap shows it: no table changes for it.
pub(crate) fn zeroed_ram<A: Arch>(len: usize) -> Result<*mut u8, OutOfMemory> {
    alloc_zeroed_pages::<A>(len.div_ceil(PAGE)).map(phys_to_virt::<A>)
}

/// Physical address of the kernel's root table.
pub fn kernel_root() -> u64 {
    ROOT.load(Ordering::Acquire)
}

/// From here on the kernel runs on `root`, and the physmap shows all RAM in its reach.
pub(super) fn set_kernel_root(root: u64) {
    ROOT.store(root, Ordering::Release);
}

/// How often top-level entries have changed.
pub(super) fn top_generation() -> u64 {
    TOP_GENERATION.load(Ordering::Acquire)
}

/// Changes the kernel's tables.
pub(super) fn with_mapper<A: Arch, R>(f: impl FnOnce(&mut Tables<A>) -> R) -> R {
    with_mapper_at::<A, R>(kernel_root(), f)
}

/// Changes the tables below `root`, which are, or will be, the kernel's.
pub(super) fn with_mapper_at<A: Arch, R>(root: u64, f: impl FnOnce(&mut Tables<A>) -> R) -> R {
    let _guard = TABLES.lock();
    // SAFETY: `root` is the kernel's, made by `paging_init`; the lock keeps others out; callers only add mappings at fresh
    // addresses, or tighten what nobody uses.
    let mut mapper = unsafe { A::space(root, TablePages::new()) };
    let result = f(&mut mapper);
    TOP_GENERATION.fetch_add(mapper.top_generation(), Ordering::AcqRel);
    result
}

/// Whether the byte at `va` can be read. Takes no lock: for backtraces in a dying kernel.
pub fn is_mapped<A: Arch>(va: usize) -> bool {
    if kernel_root() == 0 {
        return image::range().contains(&va) && va & !(PAGE - 1) != image::init_stack_guard();
    }
    reader::<A>().translate(va as u64).is_some()
}

/// Whether the byte at `va` can be written. There are final page tables.
pub(crate) fn is_writable<A: Arch>(va: usize) -> bool {
    reader::<A>()
        .translate(va as u64)
        .is_some_and(|t| t.prot.contains(Prot::WRITE))
}

/// First address of a page that is both writable and executable, if there is one.
pub(crate) fn write_exec_page<A: Arch>() -> Option<u64> {
    reader::<A>().audit_wx().map(|mapping| mapping.va)
}

/// A mapper that only looks, without the lock.
pub(super) fn reader<A: Arch>() -> Tables<A> {
    reader_of::<A>(kernel_root())
}

/// The same for another root table of the kernel's format.
pub(super) fn reader_of<A: Arch>(root: u64) -> Tables<A> {
    // SAFETY: only read; entries are read whole, and tables are never freed, so a change in progress does no harm.
    unsafe { A::space(root, TablePages::new()) }
}

/// Takes `len` bytes of a window of which some are `used`, with a page in front that is never mapped.
fn reserve_va<A: Arch>(window: &Range<usize>, used: &AtomicUsize, len: usize) -> Result<usize, OutOfMemory> {
    let take = len
        .checked_next_multiple_of(PAGE)
        .and_then(|l| l.checked_add(PAGE))
        .ok_or(OutOfMemory)?;
    let align = match inject::at(Place::Map, 0) {
        Effect::Twice => reader::<A>().top_entry_bytes() as usize,
        _ => PAGE,
    };
    let begin = |used: usize| (window.start + used).checked_next_multiple_of(align);
    let end = |used: usize| begin(used)?.checked_add(take).filter(|end| *end <= window.end);
    let before = used
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            Some(end(used)? - window.start)
        })
        .map_err(|_| OutOfMemory)?;
    Ok(begin(before).ok_or(OutOfMemory)? + PAGE)
}

/// New zeroed memory of `len` bytes in the vmap window; the page below it is not mapped.
pub(super) fn map_new_pages<A: Arch>(len: usize) -> Result<usize, OutOfMemory> {
    map_new_pages_in::<A>(&A::VMAP, &VMAP_USED, len)
}

/// The same in any window of which some bytes are `used`.
pub(crate) fn map_new_pages_in<A: Arch>(
    window: &Range<usize>,
    used: &AtomicUsize,
    len: usize,
) -> Result<usize, OutOfMemory> {
    let count = len.div_ceil(PAGE);
    let pa = alloc_zeroed_pages::<A>(count)?.start();
    let va = reserve_va::<A>(window, used, len)?;
    let bytes = (count * PAGE) as u64;
    with_mapper::<A, _>(|m| m.map(va as u64, pa, bytes, Prot::RW | Prot::GLOBAL, Cache::WriteBack))?;
    A::tables_changed();
    Ok(va)
}

/// Maps physical memory at a new place in the vmap window, for ever. `pa` need not be page aligned.
pub(super) fn map_physical<A: Arch>(
    pa: u64,
    len: usize,
    prot: Prot,
    cache: Cache,
) -> Result<*mut u8, OutOfMemory> {
    let offset = (pa % PAGE_SIZE) as usize;
    let bytes = len
        .checked_add(offset)
        .and_then(|l| l.checked_next_multiple_of(PAGE))
        .ok_or(OutOfMemory)?;
    let va = reserve_va::<A>(&A::VMAP, &VMAP_USED, bytes)?;
    with_mapper::<A, _>(|m| {
        m.map(
            va as u64,
            pa - offset as u64,
            bytes as u64,
            prot | Prot::GLOBAL,
            cache,
        )
    })?;
    A::tables_changed();
    Ok(core::ptr::with_exposed_provenance_mut(va + offset))
}

/// Where a mapped address leads. Takes no lock.
pub fn physical_address<A: Arch>(va: usize) -> Option<u64> {
    reader::<A>().translate(va as u64).map(|to| to.pa)
}

/// Maps what firmware keeps to itself at its place in the physmap, where it is not yet: read and write. Whole pages.
///
/// # Errors
/// It lies beyond the physmap, or there is no memory for tables.
pub fn add_to_physmap<A: Arch>(range: &Range<u64>) -> Result<(), OutOfMemory> {
    let reach = physmap::reach::<A>();
    if range.start < reach.start || range.end > reach.end {
        return Err(OutOfMemory);
    }
    with_mapper::<A, _>(|m| {
        for pa in range.clone().step_by(PAGE) {
            let va = physmap::address::<A>(pa) as u64;
            if m.translate(va).is_none() {
                m.map(va, pa, PAGE_SIZE, Prot::RW | Prot::GLOBAL, Cache::WriteBack)?;
            }
        }
        Ok(())
    })
}

/// A part of a range of physical memory, with an access of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Physical addresses, whole pages.
    pub(crate) range: Range<u64>,
    pub(crate) prot: Prot,
    pub(crate) cache: Cache,
}

/// Maps pieces that follow each other in physical memory, as they do, at a new place in the vmap window, for ever.
pub(crate) fn map_pieces<A: Arch>(pieces: &[Piece]) -> Result<usize, OutOfMemory> {
    let (first, last) = (
        pieces.first().ok_or(OutOfMemory)?,
        pieces.last().ok_or(OutOfMemory)?,
    );
    let len = usize::try_from(last.range.end - first.range.start).map_err(|_| OutOfMemory)?;
    let va = reserve_va::<A>(&A::VMAP, &VMAP_USED, len)?;
    with_mapper::<A, _>(|m| {
        pieces.iter().try_for_each(|Piece { range, prot, cache }| {
            let at = va as u64 + (range.start - first.range.start);
            m.map(
                at,
                range.start,
                range.end - range.start,
                *prot | Prot::GLOBAL,
                *cache,
            )
        })
    })?;
    A::tables_changed();
    Ok(va)
}

/// Maps the registers of `device`, which firmware says are at `pa`.
///
/// # Errors
/// A sentence: that is RAM, which is logged with the address; or address space or memory for a table is short, or the address
/// is beyond what the tables can hold.
pub fn ioremap<A: Arch>(device: &str, pa: u64, len: usize) -> Result<*mut u8, &'static str> {
    let range = pa..pa.saturating_add(len as u64);
    if MEMBLOCK.lock().has_ram(&range) {
        warning!(
            "{device}: firmware says that its registers are at {pa:#x}, which is RAM; they are not touched"
        );
        return Err("its registers lie in RAM, by what firmware says");
    }
    map_physical::<A>(pa, len, Prot::RW, Cache::Device).map_err(|_| "no room to map its registers")
}
