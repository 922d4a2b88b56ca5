//! Mappings before there is an allocator: the second-level table `early_fixmap_l2`, in blocks of 2 MiB.

use core::sync::atomic::{AtomicU64, Ordering};

use super::regs;
use crate::layout::{BLOCK, FIXMAP_BASE, FIXMAP_FDT, FIXMAP_UART};

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
