//! What the entry code hands to Rust, and `BootInfo` out of it.

use core::cell::RefCell;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use boot_info::{BootInfo, MemRegion, linux_x86, pvh};
use kernel::arch::{Arch, EarlyRam};

use crate::boot::{KIND_LINUX, KIND_PVH};
use crate::power::real_mode;
#[cfg(feature = "smp")]
use crate::smp as others;
#[cfg(not(feature = "smp"))]
use crate::up as others;

static KIND: AtomicU32 = AtomicU32::new(0);
static POINTER: AtomicUsize = AtomicUsize::new(0);
static IMAGE: AtomicU64 = AtomicU64::new(0);
static EFI: AtomicBool = AtomicBool::new(false);

/// Notes the entry code's arguments: which protocol, the physical address of its structure, and of `_text`.
pub fn note(kind: u32, pointer: usize, image: usize) {
    KIND.store(kind, Ordering::Relaxed);
    POINTER.store(pointer, Ordering::Relaxed);
    IMAGE.store(image as u64, Ordering::Relaxed);
}

/// Physical addresses of the image, whose bytes are those from `_text` to `_end`.
pub fn image(bytes: usize) -> Range<u64> {
    let start = IMAGE.load(Ordering::Relaxed);
    start..start + bytes as u64
}

/// Fills `info` from the loader's structure.
///
/// # Errors
/// A sentence, when there is nothing to boot from.
pub fn boot_info<A: Arch>(info: &mut BootInfo) -> Result<(), &'static str> {
    let at = POINTER.load(Ordering::Relaxed) as u64;
    let read = match KIND.load(Ordering::Relaxed) {
        KIND_PVH => pvh::fill(at, &early::<A>, info).map_err(|_| "the PVH start_info is damaged"),
        KIND_LINUX => linux_x86::fill_from_phys(at, &early::<A>, info).map_err(|_| "boot_params is damaged"),
        _ => Err("entered by no known boot protocol"),
    };
    EFI.store(info.efi.is_some(), Ordering::Relaxed);
    read
}

/// Reads the loader's memory map once more; see [`kernel::arch::BootOps::memory_map`].
///
/// # Errors
/// A sentence.
pub fn memory_map<A: Arch>(
    seen: &mut dyn FnMut(Range<u64>),
    each: &mut dyn FnMut(MemRegion),
) -> Result<(), &'static str> {
    let seen = RefCell::new(seen);
    let phys = |at: u64, len: usize| {
        let bytes = early::<A>(at, len)?;
        (seen.borrow_mut())(at..at + len as u64);
        Some(bytes)
    };
    let at = POINTER.load(Ordering::Relaxed) as u64;
    match KIND.load(Ordering::Relaxed) {
        KIND_PVH => pvh::regions(at, &phys, each).map_err(|_| "the PVH start_info is damaged"),
        KIND_LINUX => {
            let page = phys(at, linux_x86::SIZE).ok_or("boot_params is not in mapped memory")?;
            linux_x86::regions(page, &phys, each).map_err(|_| "boot_params is damaged")
        }
        _ => Err("entered by no known boot protocol"),
    }
}

/// Whether the firmware is an EFI, as far as the loader says.
pub(crate) fn is_efi() -> bool {
    EFI.load(Ordering::Relaxed)
}

/// Bytes of the image window, which the boot tables map whole.
const IMAGE_WINDOW: u64 = 16 << 20;

/// Physical memory as the boot tables show it. The loader's structures are at the loader's mercy, so are their addresses.
/// The entry code's copies of them lie in the image, which may itself be where the physmap does not reach yet.
fn early<A: Arch>(at: u64, len: usize) -> Option<&'static [u8]> {
    let end = at.checked_add(len as u64)?;
    let within = |range: Range<u64>| range.start <= at && end <= range.end;
    let image = image(IMAGE_WINDOW as usize);
    let start = if within(A::early_reach()) {
        A::PHYSMAP_BASE + at as usize
    } else if within(image.clone()) {
        A::IMAGE_BASE + (at - image.start) as usize
    } else {
        return None;
    };
    // SAFETY: the boot tables map all of the early reach and of the image, and nobody writes to what the loader left
    // in the one and the entry code in the other.
    Some(unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(start), len) })
}

/// The first page: interrupt vectors and data of the firmware, which BIOSes write to when they sleep or handle an SMI.
const FIRMWARE: u64 = 4 << 10;

/// Reserves what the kernel needs of low memory.
pub fn reserve(ram: &mut EarlyRam<'_>) {
    if ram.reserve(0, FIRMWARE).is_err() {
        kernel::warning!("memory: no room to reserve the first page");
    }
    real_mode::reserve(ram);
    others::reserve(ram);
}
