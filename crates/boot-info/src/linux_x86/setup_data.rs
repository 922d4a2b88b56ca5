//! The linked list of extra data behind `hdr.setup_data`.

use zerocopy::FromBytes;

use super::Error;
use super::layout::{E820Entry, SetupDataHead};
use crate::{PhysMap, phys};

/// More nodes of the E820 table than fit in the zero page.
const E820_EXT: u32 = 1;
/// A device tree.
pub(super) const DTB: u32 = 2;
/// Random bytes.
pub(super) const RNG_SEED: u32 = 9;

/// Nodes followed before the list is taken for a cycle. Linux knows ten kinds, each used once.
const MAX_NODES: usize = 64;

/// Longest payload that is looked at, in bytes.
const MAX_PAYLOAD: usize = 1 << 20;

/// Follows the list from `at`, and hands the kind of each node to `each`, with the address of what it holds, and that itself
/// where it can be read. A list that goes on where nothing can be read ends there.
pub(super) fn walk<'m>(mut at: u64, phys: PhysMap<'_, 'm>, each: &mut dyn FnMut(u32, u64, Option<&'m [u8]>)) {
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
        let (kind, len) = (head.kind.get(), head.len.get() as usize);
        // What is not looked at here may lie anywhere: it is not mapped for nothing.
        let is_read = matches!(kind, E820_EXT | RNG_SEED) && len <= MAX_PAYLOAD;
        let payload = is_read.then(|| phys(payload_at, len)?.get(..len)).flatten();
        each(kind, payload_at, payload);
        at = head.next.get();
    }
}

/// The entries of the extensions of the E820 table.
///
/// # Errors
/// [`Error::BadMemoryMap`], when one of them cannot be read.
pub(super) fn extension(at: u64, phys: PhysMap, each: &mut dyn FnMut(&E820Entry)) -> Result<(), Error> {
    let mut result = Ok(());
    walk(at, phys, &mut |kind, _, payload| match (kind, payload) {
        (E820_EXT, Some(payload)) => payload
            .chunks_exact(size_of::<E820Entry>())
            .filter_map(|entry| E820Entry::ref_from_bytes(entry).ok())
            .for_each(&mut *each),
        (E820_EXT, None) => result = Err(Error::BadMemoryMap),
        _ => {}
    });
    result
}
