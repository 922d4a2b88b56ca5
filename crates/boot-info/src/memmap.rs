//! The firmware's memory map, as it was given.

use core::ops::Range;

use arrayvec::ArrayVec;

/// Regions kept apart; [`MemMap`] says what becomes of more. The table of one boot protocol has 128.
pub const MAX_REGIONS: usize = 192;

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
    /// The region that is left of what firmware says: `None` if it is empty, and only what lies below 2^64.
    #[must_use]
    pub const fn tamed(start: u64, len: u64, kind: MemKind) -> Option<Self> {
        let room = u64::MAX - start;
        let len = if len < room { len } else { room };
        if len == 0 {
            None
        } else {
            Some(Self { start, len, kind })
        }
    }

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

/// What is left to say of a map that had more regions than there is room for: see [`MemMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Folded {
    /// Claims that share a region with a neighbour of theirs, and with what lies between.
    pub claims: u32,
    /// Regions of RAM that were left out.
    pub ram: u32,
}

impl Folded {
    /// Whether the map is less exact than the firmware's.
    #[must_use]
    pub const fn any(self) -> bool {
        self.claims != 0 || self.ram != 0
    }
}

/// The map: regions in the order the firmware gave them, overlaps and all, as long as there is room for them.
///
/// What does not fit is *folded*, never lost: two claims become one that covers both and what lies between them, or a
/// region of RAM is left out, whichever takes less away. So with however many regions, all that the map calls free is
/// free, and no claim is missing. What it then has too little of, RAM, is to be had by reading the firmware's map once
/// more ([`crate::Memblock::refine`]). A map that was folded is in the order of addresses.
#[derive(Clone, Debug)]
pub struct MemMap {
    regions: ArrayVec<MemRegion, MAX_REGIONS>,
    folded: Folded,
    count: u32,
}

/// How many regions folding makes room for. More than one, because each time the map is sorted.
const ROOM: usize = 32;

/// What a region is to the folding: only regions of the same class can share one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Free,
    Held,
    Claimed,
}

const fn class(kind: MemKind) -> Class {
    match kind {
        MemKind::Usable => Class::Free,
        MemKind::ReservedRam => Class::Held,
        _ => Class::Claimed,
    }
}

/// The least harmful step: which region goes, and into which other, if into any.
#[derive(Clone, Copy)]
struct Step {
    cost: u64,
    gone: usize,
    into: Option<usize>,
}

impl MemMap {
    /// No regions.
    pub const EMPTY: Self = Self {
        regions: ArrayVec::new_const(),
        folded: Folded { claims: 0, ram: 0 },
        count: 0,
    };

    /// Appends a region. Empty ones are skipped (one loader ends its list with such an entry), the
    /// part beyond 2^64 is cut off, and where there is no room the map is folded.
    pub fn push(&mut self, start: u64, len: u64, kind: MemKind) {
        let Some(region) = MemRegion::tamed(start, len, kind) else {
            return;
        };
        self.count = self.count.saturating_add(1);
        if self.regions.is_full() {
            self.fold();
        }
        // There is room now: a full map has two regions of one class, and one of them goes.
        let _ = self.regions.try_push(region);
    }

    /// Makes room for [`ROOM`] more.
    fn fold(&mut self) {
        self.regions.sort_unstable_by_key(|r| (r.start, r.len));
        while self.regions.len() > MAX_REGIONS - ROOM {
            let Some(step) = self.cheapest() else { return };
            let gone = self.regions.remove(step.gone);
            match step.into.and_then(|into| self.regions.get_mut(into)) {
                Some(kept) => {
                    kept.len = kept.end().max(gone.end()) - kept.start;
                    if kept.kind != gone.kind {
                        kept.kind = MemKind::Reserved;
                    }
                    self.folded.claims += u32::from(step.cost != 0);
                }
                None => self.folded.ram += 1,
            }
        }
    }

    /// Of two neighbours of a class the second may go into the first, at the price of the gap, which RAM cannot pay: what is no
    /// RAM must not become any. A region of RAM may go at the price of itself.
    fn cheapest(&self) -> Option<Step> {
        let mut last: [Option<usize>; 3] = [None; 3];
        let mut best: Option<Step> = None;
        let mut consider = |step: Step| {
            if best.is_none_or(|best| step.cost < best.cost) {
                best = Some(step);
            }
        };
        for (at, r) in self.regions.iter().enumerate() {
            let class = class(r.kind);
            let before = last[class as usize];
            let gap = before.map(|before| r.start.saturating_sub(self.regions[before].end()));
            if let (Some(into), Some(gap)) = (before, gap)
                && (class != Class::Free || gap == 0)
            {
                consider(Step {
                    cost: gap,
                    gone: at,
                    into: Some(into),
                });
            }
            if class == Class::Free {
                consider(Step {
                    cost: r.len,
                    gone: at,
                    into: None,
                });
            }
            // The one that reaches furthest is the neighbour of what follows.
            if before.is_none_or(|before| self.regions[before].end() < r.end()) {
                last[class as usize] = Some(at);
            }
        }
        best
    }

    /// The regions, in the firmware's order unless the map was folded.
    #[must_use]
    pub fn regions(&self) -> &[MemRegion] {
        &self.regions
    }

    /// What did not fit, and how it was dealt with.
    #[must_use]
    pub const fn folded(&self) -> Folded {
        self.folded
    }

    /// How many regions the firmware's map has.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Bytes of usable RAM, counting an overlap twice if the firmware lists it twice.
    #[must_use]
    pub fn usable_bytes(&self) -> u64 {
        let usable = self.regions.iter().filter(|r| r.kind == MemKind::Usable);
        usable.fold(0, |sum, r| sum.saturating_add(r.len))
    }

    /// Whether every byte of `range` is RAM, and none of it is claimed by anybody.
    #[must_use]
    pub fn is_free(&self, range: &Range<u64>) -> bool {
        let held = |r: &MemRegion| r.kind == MemKind::ReservedRam && r.overlaps(range);
        self.is_ram(range) && !self.regions.iter().any(held)
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

    /// Claims and RAM by turns, a page each, in a mixed order; then one large region of RAM.
    fn many(n: u64) -> Vec<(u64, u64, MemKind)> {
        let page = |i: u64| {
            let i = i * 7 % (2 * n);
            let kind = match (i % 2, i % 3) {
                (0, _) => MemKind::Usable,
                (_, 0) => MemKind::ReservedRam,
                _ => MemKind::Reserved,
            };
            (i * 0x1000, 0x1000, kind)
        };
        (0..2 * n)
            .map(page)
            .chain([(1 << 32, 1 << 30, MemKind::Usable)])
            .collect()
    }

    #[test]
    fn as_many_as_there_is_room_for_are_kept_as_they_are() {
        let regions = many(MAX_REGIONS as u64 / 2 - 1);
        let map = map(&regions);
        let kept: Vec<_> = map.regions().iter().map(|r| (r.start, r.len, r.kind)).collect();
        assert_eq!((kept, map.folded()), (regions, Folded::default()));
    }

    #[test]
    fn of_too_many_no_claim_is_lost_and_nothing_else_becomes_free() {
        // Not a multiple of 7, so that every page comes once.
        for n in [100, 150, 1000, 4000] {
            let regions = many(n);
            let map = map(&regions);
            assert!(map.regions().len() <= MAX_REGIONS);
            assert_eq!(map.count() as usize, regions.len());
            assert!(map.folded().any());
            for &(start, len, kind) in &regions {
                let at = start..start + len;
                let free = map.is_free(&at);
                assert!(kind == MemKind::Usable || !free, "{start:#x} {kind:?}");
            }
            assert!(
                map.is_free(&((1 << 32)..(1 << 32) + (1 << 30))),
                "the most RAM stays"
            );
        }
    }

    #[test]
    fn the_cheapest_goes_first() {
        let mut regions = vec![(0, 0x10_0000, MemKind::Usable)];
        regions
            .extend((0..MAX_REGIONS as u64).map(|i| (i * 0x2000, 0x1000 + i % 2 * 0xfff, MemKind::Reserved)));
        let map = map(&regions);
        // Gaps of a byte are given up before gaps of a page.
        assert!(map.folded().claims > 0 && map.folded().ram == 0);
        let free = |i: u64| map.is_free(&(i * 0x2000 + 0x1000..i * 0x2000 + 0x2000));
        assert!((0..0x80).step_by(2).all(free));
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
