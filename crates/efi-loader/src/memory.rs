//! The firmware's memory map, as far as a loader cares (UEFI 2.10, 7.2, "Memory Allocation Services").

use crate::PAGE;

/// A run of pages of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Physical address of its first byte.
    pub start: u64,
    /// Behind its last.
    pub end: u64,
    /// What firmware calls it.
    pub kind: Kind,
}

/// What a kernel may do with it once boot services are gone (UEFI 2.10, table 7.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free now.
    Free,
    /// In use by the loader or by boot services: free for the kernel.
    Boot,
    /// ACPI tables.
    AcpiReclaim,
    /// ACPI's own.
    AcpiNvs,
    /// Broken.
    Unusable,
    /// Persistent memory.
    Persistent,
    /// Everything else: runtime services, devices, memory set aside for something special.
    Reserved,
}

/// `EFI_MEMORY_SP`: RAM, but for a purpose of its own.
const SPECIAL: u64 = 1 << 18;

impl Kind {
    /// From a descriptor's type and attributes.
    #[must_use]
    pub const fn new(kind: u32, attributes: u64) -> Self {
        match kind {
            7 if attributes & SPECIAL == 0 => Self::Free,
            1..=4 => Self::Boot,
            8 => Self::Unusable,
            9 => Self::AcpiReclaim,
            10 => Self::AcpiNvs,
            14 => Self::Persistent,
            _ => Self::Reserved,
        }
    }
}

impl Region {
    /// From a descriptor. One that wraps ends at the top.
    #[must_use]
    pub const fn new(kind: u32, start: u64, pages: u64, attributes: u64) -> Self {
        Self {
            start,
            end: start.saturating_add(pages.saturating_mul(PAGE)),
            kind: Kind::new(kind, attributes),
        }
    }
}

/// The regions of a map as firmware wrote it: descriptors one after the other, `descriptor_bytes` apart. The rest of one
/// that is not whole is left out.
pub fn regions(map: &[u8], descriptor_bytes: usize) -> impl Iterator<Item = Region> {
    map.chunks_exact(descriptor_bytes.max(1)).filter_map(region)
}

/// `EFI_MEMORY_DESCRIPTOR`: type, physical start, virtual start, pages, attributes.
fn region(descriptor: &[u8]) -> Option<Region> {
    let kind = descriptor.first_chunk().copied().map(u32::from_le_bytes)?;
    let number = |at: usize| {
        let bytes = descriptor.get(at..)?.first_chunk().copied()?;
        Some(u64::from_le_bytes(bytes))
    };
    Some(Region::new(kind, number(8)?, number(24)?, number(32)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_as_far_apart_as_firmware_says() {
        let mut map = vec![0_u8; 2 * 48 + 20];
        for (at, kind, start, pages) in [(0, 7, 0x10_0000_u64, 3_u64), (48, 6, 0xffff_ffff_ffff_f000, 9)] {
            map[at] = kind;
            map[at + 8..at + 16].copy_from_slice(&start.to_le_bytes());
            map[at + 24..at + 32].copy_from_slice(&pages.to_le_bytes());
        }
        let found: Vec<Region> = regions(&map, 48).collect();
        let region = |start, end, kind| Region { start, end, kind };
        assert_eq!(
            found,
            [
                region(0x10_0000, 0x10_3000, Kind::Free),
                region(0xffff_ffff_ffff_f000, u64::MAX, Kind::Reserved)
            ]
        );
        assert_eq!(regions(&map, 0).count(), 0);
        assert_eq!(regions(&map, 24).count(), 0, "too short to be one");
    }
}
