//! The masks against `BTreeSet`, with random contents and at the edges of words.

use std::collections::BTreeSet;

use cpumask::{AtomicCpuMask, CpuId, CpuMask, OutOfRange, words};
use proptest::{collection::btree_set, prelude::*};

const W: usize = words(512);
type Mask = CpuMask<W>;
type Set = BTreeSet<u32>;

fn mask(set: &Set) -> Mask {
    let mut mask = Mask::EMPTY;
    for &cpu in set {
        mask.set(CpuId::new(cpu)).unwrap();
    }
    mask
}

fn set(mask: &Mask) -> Set {
    mask.iter().map(CpuId::as_u32).collect()
}

/// Sets that are dense in places: ranges are what lists and word edges are about.
fn sets() -> impl Strategy<Value = Set> {
    let range = (0u32..512, 0u32..80).prop_map(|(first, n)| first..(first + n).min(512));
    let ranges = proptest::collection::vec(range, 0..5);
    (btree_set(0u32..512, 0..20), ranges)
        .prop_map(|(set, ranges)| set.into_iter().chain(ranges.into_iter().flatten()).collect())
}

proptest! {
    #[test]
    fn algebra(a in sets(), b in sets(), limit in 0u32..600) {
        let (x, y) = (mask(&a), mask(&b));
        prop_assert_eq!(set(&x.and(&y)), &a & &b);
        prop_assert_eq!(set(&x.or(&y)), &a | &b);
        prop_assert_eq!(set(&x.and_not(&y)), &a - &b);
        prop_assert_eq!(set(&x.not_within(limit)), &(0..limit.min(512)).collect::<Set>() - &a);
        prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
        prop_assert!(x.and(&y).is_subset(&y));
        prop_assert_eq!(x == y, a == b);
    }

    #[test]
    fn questions(a in sets(), cpu in 0u32..600) {
        let x = mask(&a);
        let id = CpuId::new(cpu);
        prop_assert_eq!(x.count() as usize, a.len());
        prop_assert_eq!(x.iter().len(), a.len());
        prop_assert_eq!(x.is_empty(), a.is_empty());
        prop_assert_eq!(x.test(id), a.contains(&cpu));
        prop_assert_eq!(x.first().map(CpuId::as_u32), a.first().copied());
        prop_assert_eq!(x.next_after(id).map(CpuId::as_u32), a.range(cpu + 1..).next().copied());
    }

    #[test]
    fn changes(ops in proptest::collection::vec((any::<bool>(), 0u32..600), 0..200)) {
        let (mut plain, atomic, mut model) = (Mask::EMPTY, AtomicCpuMask::<W>::default(), Set::new());
        for (add, cpu) in ops {
            let id = CpuId::new(cpu);
            if add {
                let fits = if cpu < 512 { Ok(()) } else { Err(OutOfRange { cpu: id, capacity: 512 }) };
                prop_assert_eq!(atomic.test_and_set(id), fits.map(|()| plain.test(id)));
                prop_assert_eq!(plain.set(id), fits);
                if cpu < 512 { model.insert(cpu); }
            } else {
                prop_assert_eq!(atomic.test_and_clear(id), model.remove(&cpu));
                plain.clear(id);
            }
            prop_assert_eq!(atomic.test(id), plain.test(id));
        }
        prop_assert_eq!(set(&plain), model);
        prop_assert_eq!(atomic.snapshot(), plain);
    }

    #[test]
    fn list_round_trip(a in sets()) {
        let text = mask(&a).to_string();
        prop_assert_eq!(text.parse::<Mask>().unwrap(), mask(&a));
        prop_assert!(a.is_empty() || !text.is_empty());
    }

    /// Any text is taken or refused; what is taken says the same when written and read again.
    #[test]
    fn any_text(text in "[0-9,+ -]{0,24}") {
        if let Ok(mask) = text.parse::<Mask>() {
            prop_assert_eq!(mask.to_string().parse::<Mask>(), Ok(mask));
        }
    }
}
