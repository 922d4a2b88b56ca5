//! Mappings before there is an allocator: the second-level table `early_fixmap_l2`, in blocks of 2 MiB.

use core::sync::atomic::{AtomicU64, Ordering};

use super::regs;
use crate::layout::{BLOCK, FIXMAP_BASE, FIXMAP_FDT, FIXMAP_FIRMWARE, FIXMAP_UART};

unsafe extern "C" {
    static early_fixmap_l2: [AtomicU64; 512];
}

/// Maps the block around the device tree's header; returns where the blob appears.
/// With the 8-byte alignment the protocol demands, the header's first two words cannot straddle a block.
pub fn map_fdt(pa: u64) -> usize {
    map(
        FIXMAP_FDT,
        pa,
        regs::BLOCK_NORMAL | regs::READ_ONLY | regs::NO_EXEC,
    );
    FIXMAP_FDT + offset(pa)
}

/// Maps the next block too, for a blob of `len` bytes that needs it: never more than is there, because what lies
/// behind may be no memory.
pub fn map_fdt_rest(pa: u64, len: usize) {
    if offset(pa) + len > BLOCK {
        let next = pa - offset(pa) as u64 + BLOCK as u64;
        map(
            FIXMAP_FDT + BLOCK,
            next,
            regs::BLOCK_NORMAL | regs::READ_ONLY | regs::NO_EXEC,
        );
    }
}

/// Maps the block around the early console's registers; returns where they appear.
pub fn map_uart(pa: u64) -> usize {
    map(FIXMAP_UART, pa, regs::BLOCK_DEVICE);
    FIXMAP_UART + offset(pa)
}

/// Shows what firmware left at `pa`, wherever that is; `None` if there is no room for it, or there can be no memory. Each block
/// is mapped once.
pub fn firmware(pa: u64, len: usize) -> Option<&'static [u8]> {
    /// Beyond this is no RAM of any machine (see `layout::PHYSMAP_SIZE`).
    const END: u64 = 1 << 46;
    let end = pa.checked_add(len as u64).filter(|end| *end <= END && len != 0)?;
    let blocks = pa / BLOCK as u64..end.div_ceil(BLOCK as u64);
    let count = (blocks.end - blocks.start) as usize;
    let start = match find(blocks.start, count) {
        Some(start) => start,
        None => map_blocks(blocks.start, count)?,
    };
    let at = core::ptr::with_exposed_provenance(start + offset(pa));
    // SAFETY: the blocks around the range are mapped, for reading, until the final tables; nobody writes what firmware and
    // loader left.
    Some(unsafe { core::slice::from_raw_parts(at, len) })
}

/// The first blocks, and how many, of each view that was mapped for [`firmware`].
static VIEWS: [[AtomicU64; 2]; 16] = [const { [AtomicU64::new(0), AtomicU64::new(0)] }; 16];

/// The view that has these blocks, by its address.
fn find(first: u64, count: usize) -> Option<usize> {
    let mut at = FIXMAP_FIRMWARE.start;
    for [start, len] in &VIEWS {
        let (start, len) = (start.load(Ordering::Relaxed), len.load(Ordering::Relaxed));
        if start <= first && first + count as u64 <= start + len {
            return Some(at + (first - start) as usize * BLOCK);
        }
        at += len as usize * BLOCK;
    }
    None
}

fn map_blocks(first: u64, count: usize) -> Option<usize> {
    let used: u64 = VIEWS.iter().map(|[_, len]| len.load(Ordering::Relaxed)).sum();
    let at = FIXMAP_FIRMWARE.start + used as usize * BLOCK;
    let [start, len] = VIEWS.iter().find(|[_, len]| len.load(Ordering::Relaxed) == 0)?;
    if count > (FIXMAP_FIRMWARE.end - at) / BLOCK {
        return None;
    }
    for n in 0..count {
        let pa = (first + n as u64) * BLOCK as u64;
        map(
            at + n * BLOCK,
            pa,
            regs::BLOCK_NORMAL | regs::READ_ONLY | regs::NO_EXEC,
        );
    }
    start.store(first, Ordering::Relaxed);
    len.store(count as u64, Ordering::Relaxed);
    Some(at)
}

/// Bytes from `pa` to the end of the block it lies in.
pub fn bytes_in_block(pa: u64) -> usize {
    BLOCK - offset(pa)
}

fn offset(pa: u64) -> usize {
    pa as usize & (BLOCK - 1)
}

fn map(va: usize, pa: u64, attributes: u64) {
    let block = pa & !(BLOCK as u64 - 1);
    // SAFETY: the linker script sets a page aside for the table; it is an array of 512 words, shared only with the
    // MMU's walker, which is why the words are atomic.
    let table = unsafe { &early_fixmap_l2 };
    table[(va - FIXMAP_BASE) / BLOCK].store(block | attributes, Ordering::Relaxed);
    // Makes the walker see the entry; drops the old one, should this be a second early console.
    super::flush_local(va);
}
