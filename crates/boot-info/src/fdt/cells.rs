//! Numbers in properties: big-endian cells of 32 bits.

use super::Region;

/// The first cell.
pub(super) fn u32_at(bytes: &[u8], cell: usize) -> Option<u32> {
    let bytes = bytes.get(cell.checked_mul(4)?..)?;
    bytes.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// A property that is one number of one or two cells.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    match bytes.len() {
        4 | 8 => joined(bytes, bytes.len() / 4),
        _ => None,
    }
}

/// `n` cells as one number; more than two only if the high ones are 0.
pub(super) fn joined(bytes: &[u8], n: usize) -> Option<u64> {
    let bytes = bytes.get(..n.checked_mul(4)?)?;
    let mut cells = bytes.chunks_exact(4);
    cells.try_fold(0u64, |high, cell| {
        let cell = u32::from_be_bytes([cell[0], cell[1], cell[2], cell[3]]);
        (high >> 32 == 0).then_some(high << 32 | u64::from(cell))
    })
}

/// The entries of a `reg`-like property: address and length.
pub(super) fn regions(bytes: &[u8], address_cells: usize, size_cells: usize) -> impl Iterator<Item = Region> {
    // The counts come from the tree: `MAX_CELLS` keeps them small, and an entry of nothing would
    // repeat for ever.
    let entry = (address_cells + size_cells) * 4;
    bytes.chunks_exact(entry.max(4)).map_while(move |e| {
        let base = joined(e, address_cells)?;
        let len = joined(e.get(address_cells * 4..)?, size_cells)?;
        Some(Region { base, len })
    })
}

/// The strings of a string list, without their NULs. Bytes, since comparing needs no text.
pub(super) fn strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&b| b == 0).filter(|s| !s.is_empty())
}

/// A property that is one string, as far as it is text.
pub(super) fn string(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(strings(bytes).next()?).ok()
}
