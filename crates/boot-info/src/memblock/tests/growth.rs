//! Lists that grow into the memory they describe.

use std::cell::RefCell;

use super::*;
use crate::{MAX_REGIONS, MemMap, MemRegion};

const RAM: u64 = 0x4000;

thread_local! {
    /// Where tables were put, in this test.
    static TABLES: RefCell<Vec<Range<u64>>> = const { RefCell::new(Vec::new()) };
}

/// Memory of the host, whatever the address; which is noted.
unsafe fn show(at: u64, entries: usize) -> Option<&'static mut [Span]> {
    let end = at + (entries * size_of::<Span>()) as u64;
    TABLES.with_borrow_mut(|tables| tables.push(at..end));
    Some(Box::leak(vec![Span::EMPTY; entries].into_boxed_slice()))
}

fn growth() -> Growth {
    TABLES.with_borrow_mut(Vec::clear);
    Growth {
        reach: 0..RAM * PAGE,
        show,
    }
}

fn tables() -> Vec<Range<u64>> {
    TABLES.with_borrow(Clone::clone)
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Every second page, from page `from` on.
fn scattered(from: u64, n: u64) -> impl Iterator<Item = u64> {
    (0..n).map(move |i| (from + 2 * i) * PAGE)
}

#[test]
fn many_more_reservations_than_the_table_has_room_for_are_all_kept() {
    let mut mb = Memblock::<4>::new();
    mb.grow_in(growth());
    mb.add(0, RAM * PAGE).unwrap();
    for at in scattered(0x300, 3000) {
        mb.reserve(at, PAGE).unwrap();
    }
    for at in scattered(0x300, 3000) {
        assert!(mb.is_reserved(at, PAGE));
    }
    let last = tables().split_off(tables().len() - 2);
    for table in &last {
        assert!(mb.is_reserved(table.start, table.end - table.start));
        assert!(scattered(0x300, 3000).all(|at| !overlap(table, &(at..at + PAGE))));
    }
    let used: u64 = last.iter().map(|t| t.end - t.start).sum();
    assert_eq!(
        mb.reserved().total(),
        3000 * PAGE + used,
        "tables that were left are free again"
    );
}

#[test]
fn without_growth_the_same_is_refused() {
    let mut mb = Memblock::<4>::new();
    mb.add(0, RAM * PAGE).unwrap();
    let results: Vec<_> = scattered(0x300, 5).map(|at| mb.reserve(at, PAGE)).collect();
    assert_eq!(results[3..], [Ok(()), Err(Error::Full)]);
}

#[test]
fn a_table_does_not_lie_in_what_it_is_made_for() {
    // All that is free are the pages that the last call reserves, and one run behind them.
    let mut mb = Memblock::<2>::new();
    mb.grow_in(growth());
    mb.add(0, 0x120 * PAGE).unwrap();
    mb.reserve(0, 0x100 * PAGE).unwrap();
    mb.reserve(0x110 * PAGE, PAGE).unwrap();
    mb.reserve(0x101 * PAGE, 8 * PAGE).unwrap();
    for table in tables() {
        assert!(!overlap(&table, &(0x101 * PAGE..0x109 * PAGE)), "{table:x?}");
    }
}

#[test]
fn what_alloc_gives_out_holds_no_table() {
    let mut mb = Memblock::<2>::new();
    mb.grow_in(growth());
    mb.add(0x100 * PAGE, 0x40 * PAGE).unwrap();
    mb.reserve(0, PAGE).unwrap();
    mb.reserve(0x130 * PAGE, PAGE).unwrap();
    let got = mb
        .alloc(PAGE, 4 * PAGE, 0x101 * PAGE..RAM * PAGE, Direction::BottomUp)
        .unwrap();
    assert!(!tables().is_empty());
    assert!(tables().iter().all(|t| !overlap(t, &(got..got + PAGE))));
}

#[test]
fn no_place_for_a_table_is_an_error_and_changes_nothing() {
    let mut mb = Memblock::<2>::new();
    mb.grow_in(growth());
    mb.reserve(0, PAGE).unwrap();
    mb.reserve(0x10 * PAGE, PAGE).unwrap();
    assert_eq!(mb.reserve(0x20 * PAGE, PAGE), Err(Error::Full));
    assert_eq!(mb.reserved().len(), 2);
}

#[test]
fn mem_does_not_cut_the_tables_off() {
    let mut mb = Memblock::<2>::new();
    mb.grow_in(growth());
    mb.add(0, RAM * PAGE).unwrap();
    for at in scattered(2, 20) {
        mb.reserve(at, PAGE).unwrap();
    }
    mb.limit_total(4 * PAGE);
    let tables = tables();
    let last = tables.last().unwrap();
    assert!(mb.is_memory(last.start, last.end - last.start));
    assert_eq!(mb.end_of_ram(), last.end);
}

/// A firmware's map: one range of RAM, in which the rest claims pages.
fn firmware(claims: &[(u64, u64, u8)]) -> Vec<MemRegion> {
    let kind = |kind| match kind {
        0 => MemKind::ReservedRam,
        1 => MemKind::AcpiNvs,
        2 => MemKind::Usable,
        _ => MemKind::Reserved,
    };
    let claims = claims
        .iter()
        .filter_map(|&(start, len, k)| MemRegion::tamed(start * PAGE, len * PAGE, kind(k)));
    let ram = MemRegion::tamed(0, RAM * PAGE, MemKind::Usable);
    claims.chain(ram).collect()
}

/// Where the map itself lies.
const SOURCE: Range<u64> = 0x200 * PAGE..0x208 * PAGE;
/// Where the image lies.
const IMAGE: Range<u64> = 0x100 * PAGE..0x180 * PAGE;

/// What a boot does with a map. The second is false where nothing may grow.
fn booted(regions: &[MemRegion], growing: bool) -> (Memblock, Result<Refined, Error>) {
    let mut map = MemMap::EMPTY;
    regions.iter().for_each(|r| map.push(r.start, r.len, r.kind));
    let mut mb = Memblock::new();
    if growing {
        mb.grow_in(growth());
    }
    mb.add_map(&map).unwrap();
    mb.reserve(IMAGE.start, IMAGE.end - IMAGE.start).unwrap();
    let refined = mb.refine(
        &|seen, each| {
            seen(SOURCE);
            regions.iter().for_each(|r| each(*r));
        },
        &[IMAGE],
    );
    (mb, refined)
}

/// What must be true of each page.
fn right(mb: &Memblock, regions: &[MemRegion]) {
    let covers = |r: &MemRegion, at| r.start <= at && at < r.end();
    for at in (0..RAM).map(|page| page * PAGE) {
        let of = |kind| regions.iter().any(|r| r.kind == kind && covers(r, at));
        let claimed = of(MemKind::AcpiNvs) || of(MemKind::Reserved);
        assert_eq!(mb.is_memory(at, PAGE), of(MemKind::Usable) && !claimed, "{at:#x}");
        let table = tables().iter().any(|t| t.contains(&at));
        let taken = of(MemKind::ReservedRam) || IMAGE.contains(&at) || table;
        assert_eq!(mb.is_reserved(at, PAGE), taken, "{at:#x}");
    }
    for table in tables() {
        let pages = (table.start..table.end).step_by(PAGE as usize);
        for at in pages {
            assert!(
                regions
                    .iter()
                    .all(|r| r.kind == MemKind::Usable || !covers(r, at)),
                "{at:#x}"
            );
        }
        assert!(!overlap(&table, &SOURCE) && !overlap(&table, &IMAGE));
    }
}

#[test]
fn three_hundred_claims_are_kept_and_no_ram_is_lost() {
    let claims: Vec<_> = (0..300).map(|i| (0x1000 + 2 * i, 1, (i % 2 * 3) as u8)).collect();
    let regions = firmware(&claims);
    let (mb, refined) = booted(&regions, true);
    assert_eq!(refined.unwrap().regions, 301);
    right(&mb, &regions);
}

#[test]
fn three_hundred_claims_without_room_to_grow_cost_ram_and_nothing_else() {
    let claims: Vec<_> = (0..300).map(|i| (0x1000 + 2 * i, 1, (i % 2 * 3) as u8)).collect();
    let regions = firmware(&claims);
    let (mb, refined) = booted(&regions, false);
    assert_eq!(refined, Err(Error::Full));
    let free = |at: u64| mb.free().any(|r| r.contains(&at));
    assert!(
        (0..300).all(|i| !free((0x1000 + 2 * i) * PAGE)),
        "no claim is given out"
    );
    let (whole, _) = booted(&regions, true);
    assert!(
        mb.free_total() < whole.free_total(),
        "this is what growing is for"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_map_is_taken_in_as_it_is(claims in prop::collection::vec((0..RAM, 0..4u64, 0..4u8), 0..4 * MAX_REGIONS)) {
        let regions = firmware(&claims);
        // A machine whose image or map lies in what firmware claims is none.
        let clash = |r: &MemRegion| r.kind != MemKind::Usable && (overlap(&r.range(), &IMAGE) || overlap(&r.range(), &SOURCE));
        let regions: Vec<_> = regions.into_iter().filter(|r| !clash(r)).collect();
        let (mb, refined) = booted(&regions, true);
        if refined.is_ok() {
            right(&mb, &regions);
        }
        prop_assert!(refined.is_ok() || regions.len() > 2 * MAX_REGIONS, "{refined:?}");
    }

    #[test]
    fn any_reservations_are_kept(pages in prop::collection::vec(0x200..RAM, 1..400)) {
        let mut mb = Memblock::<3>::new();
        mb.grow_in(growth());
        mb.add(0, RAM * PAGE).unwrap();
        for (n, page) in pages.iter().enumerate() {
            mb.reserve(page * PAGE, PAGE).unwrap();
            let last = tables();
            for table in &last[last.len().saturating_sub(2)..] {
                prop_assert!(pages[..=n].iter().all(|p| !overlap(table, &(p * PAGE..(p + 1) * PAGE))));
                prop_assert!(mb.is_reserved(table.start, 1));
            }
        }
        prop_assert!(pages.iter().all(|p| mb.is_reserved(p * PAGE, PAGE)));
    }
}
