//! The linked list of extra data behind `hdr.setup_data`.

use zerocopy::FromBytes;

use super::layout::{E820Entry, SetupDataHead};
use crate::{BootInfo, MemKind, PhysMap, phys};

/// More nodes of the E820 table than fit in the zero page.
const SETUP_E820_EXT: u32 = 1;
/// A device tree.
const SETUP_DTB: u32 = 2;
/// Random bytes.
const SETUP_RNG_SEED: u32 = 9;

/// Nodes followed before the list is taken for a cycle. Linux knows ten kinds, each used once.
const MAX_NODES: usize = 64;

/// Longest payload that is looked at: a table of as many regions as we keep.
const MAX_PAYLOAD: usize = crate::MAX_REGIONS * size_of::<E820Entry>();

/// Follows the list from `at` and takes in what is known; stops at the first node it cannot read.
pub(super) fn walk(mut at: u64, phys: PhysMap, out: &mut BootInfo) {
    for _ in 0..MAX_NODES {
        if at == 0 {
            return;
        }
        let Some(head) = phys::read::<SetupDataHead>(phys, at) else {
            return;
        };
        let Some(payload_at) = at.checked_add(size_of::<SetupDataHead>() as u64) else {
            return;
        };
        let len = (head.len.get() as usize).min(MAX_PAYLOAD);
        if head.kind.get() == SETUP_DTB {
            out.fdt = Some(payload_at);
        } else if let Some(payload) = phys(payload_at, len) {
            take(head.kind.get(), payload, out);
        }
        at = head.next.get();
    }
}

fn take(kind: u32, payload: &[u8], out: &mut BootInfo) {
    match kind {
        SETUP_E820_EXT => {
            for entry in payload.chunks_exact(size_of::<E820Entry>()) {
                let Ok(entry) = E820Entry::read_from_bytes(entry) else {
                    return;
                };
                out.memory.push(
                    entry.addr.get(),
                    entry.size.get(),
                    MemKind::from_e820(entry.kind.get()),
                );
            }
        }
        SETUP_RNG_SEED => out.seed.feed(payload),
        _ => {}
    }
}
