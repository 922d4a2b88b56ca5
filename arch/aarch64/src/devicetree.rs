//! The device tree, read once, before anything else runs.

use core::cell::{RefCell, UnsafeCell};
use core::ops::Range;
use core::slice;

use boot_info::fdt::{self, FdtInfo};
use boot_info::{BootInfo, MemRegion};

use crate::mmu::fixmap;

/// What the blob said, in statics: both structures are too large for a stack.
struct Read {
    boot: UnsafeCell<BootInfo>,
    info: UnsafeCell<FdtInfo>,
    outcome: UnsafeCell<Result<(), &'static str>>,
    read: UnsafeCell<bool>,
}

// SAFETY: written by `read` alone, which the boot CPU calls once, before interrupts and before any other CPU.
unsafe impl Sync for Read {}

static READ: Read = Read {
    boot: UnsafeCell::new(BootInfo::EMPTY),
    info: UnsafeCell::new(FdtInfo::EMPTY),
    // Not an error yet: this way all of it is zeros, and none of its 35 KiB stands in the image.
    outcome: UnsafeCell::new(Ok(())),
    read: UnsafeCell::new(false),
};

/// Reads the blob at physical address `pa`, as the boot loader passed it in x0.
///
/// # Safety
/// Called once, by the boot CPU, before anything else in this module.
pub unsafe fn read(pa: u64) {
    // SAFETY: the caller's promise: nobody else looks yet.
    let (boot, info) = unsafe { (&mut *READ.boot.get(), &mut *READ.info.get()) };
    let outcome = fill(pa, boot, info);
    // SAFETY: as above.
    unsafe {
        *READ.outcome.get() = outcome;
        *READ.read.get() = outcome.is_ok();
    }
}

/// Reads the memory map of the tree that [`read`] has read once more; see [`kernel::arch::BootOps::memory_map`].
///
/// # Errors
/// A sentence.
pub fn memory_map(
    boot: &BootInfo,
    seen: &mut dyn FnMut(Range<u64>),
    each: &mut dyn FnMut(MemRegion),
) -> Result<(), &'static str> {
    let pa = boot.fdt.unwrap_or(0);
    let blob = blob(pa)?;
    // The blob claims its own memory.
    let seen = RefCell::new(seen);
    let phys = |at: u64, len: usize| {
        let bytes = fixmap::firmware(at, len)?;
        (seen.borrow_mut())(at..at + len as u64);
        Some(bytes)
    };
    fdt::regions(blob, pa, boot.efi.as_ref(), &phys, each).map_err(text)
}

fn fill(pa: u64, boot: &mut BootInfo, info: &mut FdtInfo) -> Result<(), &'static str> {
    fdt::fill_with(blob(pa)?, pa, &fixmap::firmware, boot, info).map_err(text)
}

/// The blob at physical address `pa`.
fn blob(pa: u64) -> Result<&'static [u8], &'static str> {
    match pa {
        0 => return Err("the boot loader passed no device tree (x0 is 0)"),
        pa if !pa.is_multiple_of(8) => return Err("the device tree is not 8-byte aligned"),
        _ => {}
    }
    let first = core::ptr::with_exposed_provenance::<u8>(fixmap::map_fdt(pa));
    // SAFETY: the block around `pa` was just mapped, read-only. A header that straddles its end is looked at in two
    // steps: the size is in the first 8 bytes, which an aligned blob does not split.
    let start = unsafe { slice::from_raw_parts(first, fixmap::bytes_in_block(pa).min(fdt::HEADER_SIZE)) };
    let mut header = [0; fdt::HEADER_SIZE];
    header[..start.len()].copy_from_slice(start);
    let size = fdt::total_size(&header).map_err(text)?;
    fixmap::map_fdt_rest(pa, size);
    // SAFETY: all of it is mapped now; nobody writes it; the mapping stays until the final tables, and what was read
    // is copied.
    Ok(unsafe { slice::from_raw_parts(first, size) })
}

fn text(error: fdt::Error) -> &'static str {
    match error {
        fdt::Error::TooShort => "the device tree is cut short",
        fdt::Error::BadMagic => "there is no device tree where x0 points (wrong magic)",
        fdt::Error::BadSize => "the device tree's size is out of range",
        fdt::Error::BadVersion => "the device tree's version is not supported",
        fdt::Error::BadOffset => "a block of the device tree lies outside it",
        fdt::Error::BadStructure => "the device tree's structure is malformed",
        fdt::Error::TooDeep => "the device tree is too deep",
        fdt::Error::NoMemory => "the device tree describes no memory",
    }
}

/// Whether there was a device tree and it made sense.
pub fn is_read() -> bool {
    // SAFETY: written before anybody reads.
    unsafe { *READ.read.get() }
}

/// What went wrong, if something did.
///
/// # Errors
/// A sentence.
pub fn outcome() -> Result<(), &'static str> {
    // SAFETY: written before anybody reads.
    let outcome = unsafe { *READ.outcome.get() };
    if is_read() {
        outcome
    } else {
        outcome.and(Err("the device tree was not read"))
    }
}

/// The part that is the same for all architectures.
pub fn boot() -> &'static BootInfo {
    // SAFETY: written before anybody reads.
    unsafe { &*READ.boot.get() }
}

/// The rest: CPUs, PSCI, GIC, timer, UART.
pub fn info() -> &'static FdtInfo {
    // SAFETY: written before anybody reads.
    unsafe { &*READ.info.get() }
}

/// The same, to be completed where the tree says nothing and other tables do.
///
/// # Safety
/// The boot CPU, alone, with no reference from [`info`] in use.
pub unsafe fn info_mut() -> &'static mut FdtInfo {
    // SAFETY: the caller's promise.
    unsafe { &mut *READ.info.get() }
}

/// Copies that part to `to`. In place: a `clone` would pass through the boot stack, which is not much larger.
pub fn copy_boot(to: &mut BootInfo) {
    // SAFETY: source and destination are valid and apart; all of the value lies inside it (arrays and numbers), so two
    // of it do no harm.
    unsafe { core::ptr::copy_nonoverlapping(boot(), to, 1) };
}
