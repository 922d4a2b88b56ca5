//! The physmap before the final tables: the RAM around the image, as far as one second-level table reaches (1 GiB).
//! The final tables are made out of it.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use boot_info::MemMap;

use super::{image_pa, regs};
use crate::layout::{BLOCK, PHYSMAP_SIZE};

unsafe extern "C" {
    static early_root: [AtomicU64; 512];
    static early_physmap_l1: [AtomicU64; 512];
    static early_physmap_l2: [AtomicU64; 512];
}

/// What is mapped; empty until [`map`] found RAM around the image.
static REACH: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Physical addresses that are mapped.
pub fn reach() -> Range<u64> {
    REACH[0].load(Ordering::Relaxed)..REACH[1].load(Ordering::Relaxed)
}

/// Maps the part of the RAM region the image lies in that shares its GiB: whole blocks only, and nothing that is not
/// RAM, because what is mapped cacheable may be read speculatively.
pub fn map(memory: &MemMap) {
    let image = image_pa();
    let ram = memory
        .regions()
        .iter()
        .filter(|r| r.kind.is_ram())
        .map(|r| r.range());
    if let Some(ram) = ram.filter(|r| r.contains(&image)).max_by_key(|r| r.end) {
        let gib = image >> 30 << 30;
        let block = BLOCK as u64;
        let start = ram.start.max(gib).next_multiple_of(block);
        let end = ram.end.min(gib + (1 << 30)) & !(block - 1);
        if start < end && end <= PHYSMAP_SIZE {
            fill(start..end);
        }
    }
}

fn fill(range: Range<u64>) {
    // SAFETY: the linker script sets a page aside for each table; shared only with the MMU's walker, hence atomic.
    let (root, l1, l2) = unsafe { (&early_root, &early_physmap_l1, &early_physmap_l2) };
    let index = |shift: u32| (range.start >> shift) as usize & 511;
    for pa in range.clone().step_by(BLOCK) {
        let entry = pa | regs::BLOCK_NORMAL | regs::NO_EXEC;
        l2[(pa >> 21) as usize & 511].store(entry, Ordering::Relaxed);
    }
    l1[index(30)].store(table(l2), Ordering::Relaxed);
    root[index(39)].store(table(l1), Ordering::Relaxed);
    super::tables_changed();
    REACH[0].store(range.start, Ordering::Relaxed);
    REACH[1].store(range.end, Ordering::Relaxed);
}

fn table(at: &'static [AtomicU64; 512]) -> u64 {
    super::image_to_phys(core::ptr::from_ref(at).expose_provenance()) | regs::TABLE
}
