//! The final page tables: RAM in the physmap, the image by section, nothing writable and executable, nothing at null.

use core::sync::atomic::Ordering;

use boot_info::Memblock;
use boot_info::memblock::{Error, Growth, Span};
use paging::{Cache, MapError, PAGE_SIZE, Prot, Space};

use super::map::{alloc_zeroed_pages, set_kernel_root, with_mapper_at};
use super::{Changed, IMAGE_PHYS, InPhysmap, MEMBLOCK, Mapped, PAGE, image, pages, physmap};
use crate::arch::Arch;
use crate::{info, warning};

/// Builds the tables and runs on them. The shadow roots still have what they were booted with.
///
/// # Errors
/// A sentence, when there is too little memory for them.
pub(crate) fn paging_init<A: Arch>() -> Result<Changed<Mapped>, &'static str> {
    IMAGE_PHYS.store(A::image_phys().start, Ordering::Relaxed);
    let root = match A::kernel_root() {
        Some(root) => root,
        None => alloc_zeroed_pages::<A>(1)
            .map_err(|_| "no memory for a page table")?
            .start(),
    };
    map_all::<A>(root).map_err(reason)?;
    // SAFETY: the tables map the image, with the stack this runs on, and all of RAM.
    unsafe { A::activate(root) };
    set_kernel_root(root);
    with_mapper_at::<A, _>(root, |m| report(m));
    Ok(Changed::new())
}

fn report(tables: &impl Space) {
    info!("mm: {} page tables", tables.name());
    match tables.audit_wx() {
        Some(v) => warning!("mm: {:#x} is both writable and executable", v.va),
        None => info!("mm: no page is both writable and executable"),
    }
    if !tables.enforces_no_exec() {
        info!("mm: without a no-execute bit, what is not code can be executed all the same");
    }
}

fn reason(error: MapError) -> &'static str {
    match error {
        MapError::NoTableMemory => "no memory for the page tables",
        MapError::PhysTooHigh { .. } => "RAM lies beyond what the page tables can hold",
        _ => "the windows of the address space overlap",
    }
}

/// Where the memblock may put larger tables: in RAM that is mapped by now, and stays mapped where it is.
pub(crate) fn growth<A: Arch>() -> Growth {
    Growth {
        reach: physmap::reach_by_now::<A>(),
        show: show::<A>,
    }
}

/// # Safety
/// As for [`Growth::show`].
unsafe fn show<A: Arch>(pa: u64, entries: usize) -> Option<&'static mut [Span]> {
    let ram = InPhysmap::of_ram(pa, entries * size_of::<Span>());
    let at = physmap::phys_to_virt::<A>(ram).cast::<Span>();
    // SAFETY: RAM in reach, which the final tables map at the same place; it begins a page, is the caller's alone, and zeros
    // are entries.
    unsafe {
        at.write_bytes(0, entries);
        Some(core::slice::from_raw_parts_mut(at, entries))
    }
}

/// Forgets RAM that the physmap cannot hold, before any is handed out: it is left alone, and counted.
///
/// # Errors
/// There is no room to note a hole.
pub(crate) fn leave_unreachable<A: Arch>(memblock: &mut Memblock) -> Result<(), Error> {
    let (reach, all) = (physmap::reach::<A>(), memblock.total());
    memblock.limit_address(reach.end);
    memblock.remove(0, reach.start)?;
    let left = all - memblock.total();
    pages::leave(left);
    if left > 0 {
        warning!(
            "memory: {} of {} KiB of RAM lie above {:#x}, beyond the reach of this kernel, and are left alone",
            left >> 10,
            all >> 10,
            reach.end
        );
    }
    Ok(())
}

fn map_all<A: Arch>(root: u64) -> Result<(), MapError> {
    with_mapper_at::<A, _>(root, |m| {
        for (start, end, prot) in sections() {
            let pa = A::image_phys().start + (start - image::text()) as u64;
            m.map(
                start as u64,
                pa,
                (end - start) as u64,
                prot | Prot::GLOBAL,
                Cache::WriteBack,
            )?;
        }
        // By number: the memblock gives out the tables' pages in between, which changes what is reserved alone.
        let ram = |n| MEMBLOCK.lock().memory().get(n);
        for ram in (0..).map_while(ram) {
            let (start, end) = (ram.start.next_multiple_of(PAGE_SIZE), ram.end & !(PAGE_SIZE - 1));
            let va = physmap::address::<A>(start) as u64;
            m.map(
                va,
                start,
                end.saturating_sub(start),
                Prot::RW | Prot::GLOBAL,
                Cache::WriteBack,
            )?;
        }
        // The physmap must not be a way around W^X: what the image maps read-only is read-only there too.
        let constant = (image::erodata() - image::text()) as u64;
        let alias = physmap::address::<A>(A::image_phys().start) as u64;
        let _nothing_runs_on_these_yet = m.protect(alias, constant, Prot::RO | Prot::GLOBAL)?;
        for f in A::fixed_mappings() {
            m.map(f.va as u64, f.pa, f.len as u64, f.prot | Prot::GLOBAL, f.cache)?;
        }
        Ok(())
    })
}

/// The image's parts: code, constants, variables up to the first stack's guard page, and from there on.
fn sections() -> [(usize, usize, Prot); 4] {
    let (guard, end) = (image::init_stack_guard(), image::end().next_multiple_of(PAGE));
    [
        (image::text(), image::etext().next_multiple_of(PAGE), Prot::RX),
        (image::rodata(), image::erodata().next_multiple_of(PAGE), Prot::RO),
        (image::data(), guard, Prot::RW),
        (guard + PAGE, end, Prot::RW),
    ]
}

/// Gives all free RAM to the page allocator; the memblock is only read from here on.
pub(crate) fn hand_over_memblock<A: Arch>() {
    // In place: a copy of the memblock would take most of the boot stack.
    let memblock = MEMBLOCK.lock();
    for range in memblock.free() {
        let (start, end) = (
            range.start.next_multiple_of(PAGE_SIZE),
            range.end & !(PAGE_SIZE - 1),
        );
        if start < end {
            // Nothing else is in the memblock: RAM out of reach was left alone.
            let ram = InPhysmap::of_ram(start, (end - start) as usize);
            // SAFETY: no reservation covers the range.
            unsafe { pages::add::<A>(ram) };
        }
    }
    pages::open(memblock.total());
}
