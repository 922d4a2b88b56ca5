//! Against a bitmap of pages that cannot be wrong.

use proptest::prelude::*;

use super::*;

mod growth;

const PAGES: usize = 64;
const PAGE: u64 = 0x1000;

#[derive(Clone, Debug)]
enum Op {
    Add(u64, u64),
    Remove(u64, u64),
    Reserve(u64, u64),
    Release(u64, u64),
    LimitAddress(u64),
    LimitTotal(u64),
    Alloc {
        size: u64,
        align_log2: u32,
        lo: u64,
        hi: u64,
        top_down: bool,
    },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let span = || (0..PAGES as u64, 0..12u64);
    let op = prop_oneof![
        4 => span().prop_map(|(s, l)| Op::Add(s, l)),
        1 => span().prop_map(|(s, l)| Op::Remove(s, l)),
        3 => span().prop_map(|(s, l)| Op::Reserve(s, l)),
        1 => span().prop_map(|(s, l)| Op::Release(s, l)),
        1 => (30..PAGES as u64 + 4).prop_map(Op::LimitAddress),
        1 => (10..PAGES as u64).prop_map(Op::LimitTotal),
        4 => (1..6u64, 0..4u32, 0..PAGES as u64, 0..PAGES as u64 + 8, any::<bool>())
            .prop_map(|(size, align_log2, lo, hi, top_down)| Op::Alloc { size, align_log2, lo, hi, top_down }),
    ];
    prop::collection::vec(op, 0..60)
}

#[derive(Clone)]
struct Model {
    memory: Vec<bool>,
    reserved: Vec<bool>,
}

impl Model {
    fn new() -> Self {
        // Spans may run over the edge of the interesting part, so the model is a little larger.
        Self {
            memory: vec![false; PAGES + 16],
            reserved: vec![false; PAGES + 16],
        }
    }

    fn set(list: &mut [bool], start: u64, len: u64, to: bool) {
        list[start as usize..(start + len) as usize].fill(to);
    }

    fn fits(&self, at: u64, size: u64) -> bool {
        (at..at + size).all(|p| {
            let p = p as usize;
            self.memory.get(p) == Some(&true) && !self.reserved[p]
        })
    }

    fn find(&self, size: u64, align: u64, lo: u64, hi: u64, top_down: bool) -> Option<u64> {
        let mut places = (lo..hi).filter(|at| at % align == 0 && at + size <= hi && self.fits(*at, size));
        if top_down {
            places.next_back()
        } else {
            places.next()
        }
    }

    fn limit_total(&mut self, pages: u64) {
        let mut seen = 0;
        for p in &mut self.memory {
            seen += u64::from(*p);
            *p &= seen <= pages;
        }
    }
}

fn runs(list: impl Iterator<Item = bool>) -> Vec<Range<u64>> {
    let mut out: Vec<Range<u64>> = Vec::new();
    for (page, _) in list.enumerate().filter(|(_, set)| *set) {
        let at = page as u64 * PAGE;
        match out.last_mut() {
            Some(last) if last.end == at => last.end += PAGE,
            _ => out.push(at..at + PAGE),
        }
    }
    out
}

fn apply(op: &Op, mb: &mut Memblock<64>, model: &mut Model) {
    match *op {
        Op::Add(s, l) => {
            mb.add(s * PAGE, l * PAGE).unwrap();
            Model::set(&mut model.memory, s, l, true);
        }
        Op::Remove(s, l) => {
            mb.remove(s * PAGE, l * PAGE).unwrap();
            Model::set(&mut model.memory, s, l, false);
        }
        Op::Reserve(s, l) => {
            mb.reserve(s * PAGE, l * PAGE).unwrap();
            Model::set(&mut model.reserved, s, l, true);
        }
        Op::Release(s, l) => {
            mb.release(s * PAGE, l * PAGE).unwrap();
            Model::set(&mut model.reserved, s, l, false);
        }
        Op::LimitAddress(at) => {
            mb.limit_address(at * PAGE);
            model.memory[at as usize..].fill(false);
        }
        Op::LimitTotal(pages) => {
            mb.limit_total(pages * PAGE);
            model.limit_total(pages);
        }
        Op::Alloc {
            size,
            align_log2,
            lo,
            hi,
            top_down,
        } => {
            let align = 1 << align_log2;
            let from = if top_down {
                Direction::TopDown
            } else {
                Direction::BottomUp
            };
            let got = mb.alloc(size * PAGE, align * PAGE, lo * PAGE..hi * PAGE, from);
            let want = model.find(size, align, lo, hi, top_down);
            assert_eq!(got.ok(), want.map(|p| p * PAGE));
            if let Some(at) = want {
                Model::set(&mut model.reserved, at, size, true);
            }
        }
    }
}

fn agree(mb: &Memblock<64>, model: &Model) {
    assert_eq!(
        mb.memory().iter().collect::<Vec<_>>(),
        runs(model.memory.iter().copied())
    );
    assert_eq!(
        mb.reserved().iter().collect::<Vec<_>>(),
        runs(model.reserved.iter().copied())
    );
    let free = || model.memory.iter().zip(&model.reserved).map(|(m, r)| *m && !*r);
    assert_eq!(mb.free().collect::<Vec<_>>(), runs(free()));
    assert_eq!(mb.free_total(), free().filter(|f| *f).count() as u64 * PAGE);
    for page in 0..PAGES {
        let at = page as u64 * PAGE;
        assert_eq!(mb.is_reserved(at, PAGE), model.reserved[page]);
        assert_eq!(mb.is_memory(at, 1), model.memory[page]);
    }
}

proptest! {
    #[test]
    fn behaves_like_a_bitmap(ops in ops()) {
        let (mut mb, mut model) = (Memblock::<64>::new(), Model::new());
        for op in &ops {
            apply(op, &mut mb, &mut model);
            agree(&mb, &model);
        }
    }

    #[test]
    fn survives_any_numbers(calls in prop::collection::vec((0..7u8, any::<u64>(), any::<u64>(), any::<u64>()), 0..40)) {
        let mut mb = Memblock::<4>::new();
        for (what, a, b, c) in calls {
            match what {
                0 => drop(mb.add(a, b)),
                1 => drop(mb.remove(a, b)),
                2 => drop(mb.reserve(a, b)),
                3 => drop(mb.release(a, b)),
                4 => mb.limit_total(a),
                5 => drop(mb.alloc(a, 1 << (b % 64), c..u64::MAX, Direction::TopDown)),
                _ => drop(mb.alloc(a, 1 << (b % 64), c..u64::MAX, Direction::BottomUp)),
            }
            prop_assert!(mb.memory().len() <= 4 && mb.reserved().len() <= 4);
            prop_assert!(mb.free_total() <= mb.total());
        }
    }
}

#[test]
fn a_full_table_is_an_error_and_changes_nothing() {
    let mut mb = Memblock::<2>::new();
    mb.add(0, 10).unwrap();
    mb.add(20, 10).unwrap();
    assert_eq!(mb.add(40, 10), Err(Error::Full));
    assert_eq!(mb.remove(3, 2), Err(Error::Full));
    assert_eq!(mb.memory().iter().collect::<Vec<_>>(), [0..10, 20..30]);
    mb.add(10, 10).unwrap();
    assert_eq!(
        (mb.memory().len(), mb.memory().contains(&(0..30))),
        (1, true),
        "merging needs no room"
    );
}

#[test]
fn refuses_what_makes_no_sense() {
    let mut mb = Memblock::<4>::new();
    assert_eq!(mb.add(u64::MAX, 2), Err(Error::Wraps));
    mb.add(0x1000, 0x1000).unwrap();
    assert_eq!(
        mb.alloc(0, 1, 0..u64::MAX, Direction::BottomUp),
        Err(Error::ZeroSize)
    );
    assert_eq!(
        mb.alloc(1, 3, 0..u64::MAX, Direction::BottomUp),
        Err(Error::BadAlign)
    );
    assert_eq!(
        mb.alloc(1, 0, 0..u64::MAX, Direction::BottomUp),
        Err(Error::BadAlign)
    );
    assert_eq!(
        mb.alloc(0x1001, 1, 0..u64::MAX, Direction::TopDown),
        Err(Error::NoMemory)
    );
    assert_eq!(
        mb.alloc(1, 1 << 63, 0..u64::MAX, Direction::BottomUp),
        Err(Error::NoMemory)
    );
}

#[test]
fn firmware_claims_win_over_usable() {
    let mut map = MemMap::EMPTY;
    map.push(0x3000, 0x1000, MemKind::Reserved);
    map.push(0, 0x10000, MemKind::Usable);
    map.push(0x5000, 0x1000, MemKind::ReservedRam);
    let mut mb: Memblock = Memblock::new();
    mb.add_map(&map).unwrap();
    assert_eq!(
        mb.memory().iter().collect::<Vec<_>>(),
        [0..0x3000, 0x4000..0x10000]
    );
    assert_eq!(
        (mb.reserved().total(), mb.is_reserved(0x5000, 0x1000)),
        (0x1000, true)
    );
    assert_eq!(mb.end_of_ram(), 0x10000);
}
