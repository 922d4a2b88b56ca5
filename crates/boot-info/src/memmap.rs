//! The firmware's memory map, as it was given.

use core::ops::Range;

use arrayvec::ArrayVec;

/// Regions kept. The boot protocol's own table has 128; an extension list may add as many again.
pub const MAX_REGIONS: usize = 256;

/// What a region is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MemKind {
    /// Free RAM.
    #[default]
    Usable,
    /// Not ours: device space, firmware, or RAM the firmware hides.
    Reserved,
    /// Holds ACPI tables; free once they have been read.
    AcpiReclaim,
    /// Belongs to ACPI across sleep states.
    AcpiNvs,
    /// RAM with known errors.
    Unusable,
    /// Non-volatile memory.
    Persistent,
    /// RAM that may be mapped but must not be allocated (device tree reservations).
    ReservedRam,
    /// A number this crate has no name for; treated as reserved.
    Other(u32),
}

impl MemKind {
    /// From the number used by E820 and, with the same meanings, by PVH.
    #[must_use]
    pub const fn from_e820(kind: u32) -> Self {
        match kind {
            1 => Self::Usable,
            2 => Self::Reserved,
            3 => Self::AcpiReclaim,
            4 => Self::AcpiNvs,
            5 => Self::Unusable,
            7 => Self::Persistent,
            other => Self::Other(other),
        }
    }

    /// Whether there is RAM of ours behind it, free or not.
    #[must_use]
    pub const fn is_ram(self) -> bool {
        matches!(self, Self::Usable | Self::ReservedRam)
    }
}

/// One region of physical address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemRegion {
    /// First byte.
    pub start: u64,
    /// Length in bytes, never 0; `start + len` does not overflow.
    pub len: u64,
    /// What it is.
    pub kind: MemKind,
}

impl MemRegion {
    /// One past the last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }

    /// The region as a range.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end()
    }

    const fn overlaps(&self, range: &Range<u64>) -> bool {
        self.start < range.end && range.start < self.end()
    }
}

/// The map: regions in the order the firmware gave them, overlaps and all.
#[derive(Clone, Debug)]
pub struct MemMap {
    regions: ArrayVec<MemRegion, MAX_REGIONS>,
    dropped: u32,
}

impl MemMap {
    /// No regions.
    pub const EMPTY: Self = Self {
        regions: ArrayVec::new_const(),
        dropped: 0,
    };

    /// Appends a region. Empty ones are skipped (one loader ends its list with such an entry), the
    /// part beyond 2^64 is cut off, and what does not fit is counted in [`Self::dropped`].
    pub fn push(&mut self, start: u64, len: u64, kind: MemKind) {
        let len = len.min(u64::MAX - start);
        if len == 0 {
            return;
        }
        if self.regions.try_push(MemRegion { start, len, kind }).is_err() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Forgets the regions that are not to be kept.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&MemRegion) -> bool) {
        self.regions.retain(|region| keep(region));
    }

    /// The regions, in the firmware's order.
    #[must_use]
    pub fn regions(&self) -> &[MemRegion] {
        &self.regions
    }

    /// How many regions did not fit. Not 0 means RAM may be missing: say so to the user.
    #[must_use]
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Bytes of usable RAM, counting an overlap twice if the firmware lists it twice.
    #[must_use]
    pub fn usable_bytes(&self) -> u64 {
        let usable = self.regions.iter().filter(|r| r.kind == MemKind::Usable);
        usable.fold(0, |sum, r| sum.saturating_add(r.len))
    }

    /// Whether every byte of `range` is RAM and none of it is also claimed as something else.
    ///
    /// An empty range is not RAM.
    #[must_use]
    pub fn is_ram(&self, range: &Range<u64>) -> bool {
        if range.is_empty() || self.regions.iter().any(|r| !r.kind.is_ram() && r.overlaps(range)) {
            return false;
        }
        let mut at = range.start;
        // Regions come in any order, so each round looks for one that carries `at` further; every
        // round uses up a region, which bounds the loop.
        while at < range.end {
            let reach = self
                .regions
                .iter()
                .filter(|r| r.range().contains(&at))
                .map(MemRegion::end)
                .max();
            match reach {
                Some(end) => at = end,
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(regions: &[(u64, u64, MemKind)]) -> MemMap {
        let mut map = MemMap::EMPTY;
        for &(start, len, kind) in regions {
            map.push(start, len, kind);
        }
        map
    }

    #[test]
    fn empty_and_wrapping_regions_are_tamed() {
        let map = map(&[(5, 0, MemKind::Usable), (u64::MAX - 3, 100, MemKind::Usable)]);
        assert_eq!(
            map.regions(),
            [MemRegion {
                start: u64::MAX - 3,
                len: 3,
                kind: MemKind::Usable
            }]
        );
    }

    #[test]
    fn overflow_is_counted() {
        let mut map = MemMap::EMPTY;
        for i in 0..MAX_REGIONS as u64 + 3 {
            map.push(i * 10, 5, MemKind::Usable);
        }
        assert_eq!((map.regions().len(), map.dropped()), (MAX_REGIONS, 3));
    }

    #[test]
    fn ram_is_found_across_adjacent_and_unsorted_regions() {
        use MemKind::{Reserved, ReservedRam, Usable};
        let map = map(&[
            (200, 100, Usable),
            (100, 100, Usable),
            (400, 50, Reserved),
            (390, 20, Usable),
        ]);
        assert!(map.is_ram(&(100..300)));
        assert!(map.is_ram(&(150..151)));
        assert!(!map.is_ram(&(100..301)));
        assert!(!map.is_ram(&(99..110)));
        assert!(!map.is_ram(&(395..405)), "also claimed as reserved");
        #[expect(
            clippy::reversed_empty_ranges,
            reason = "a reversed range is what is being tested"
        )]
        let reversed = 250..200;
        assert!(!map.is_ram(&(200..200)) && !map.is_ram(&reversed));
        let mut held = map.clone();
        held.push(150, 10, ReservedRam);
        assert!(held.is_ram(&(100..300)));
    }
}
