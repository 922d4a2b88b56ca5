//! Random sequences of calls against a model. After each call the model, the mapper's own walk and the
//! CPU's view of the tables must agree, and every table must be linked. Memory runs out at random.

use crate::arena::Arena;
use crate::model::Model;
use crate::walker::{Seen, Walker};
use paging::{
    Aarch64, Cache, Flush, Format, Half, MapError, Mapper, Mapping, Prot, X86_64, X86Features, X86Legacy,
    X86Pae,
};
use proptest::{collection::vec, prelude::*, sample::select};

#[derive(Clone, Copy, Debug)]
enum Call {
    Map,
    Unmap,
    Protect,
}

#[derive(Clone, Copy, Debug)]
struct Op {
    call: Call,
    range: Mapping,
    /// Tables that can still be had.
    budget: usize,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Ranges near `bases`, whose ends lie on and beside the borders of all page sizes up to `largest`.
fn ops(bases: &'static [u64], largest: u64) -> impl Strategy<Value = Op> {
    let steps = select(vec![4096, 2 * MIB, 4 * MIB, largest]);
    let offset = (steps.clone(), 0u64..4, -2i64..3)
        .prop_map(|(step, n, pages)| (step * n).wrapping_add_signed(pages * 4096));
    let len = (steps, 0u64..3, 0u64..3).prop_map(|(step, n, pages)| step * n + pages * 4096);
    let va = (select(bases), offset.clone()).prop_map(|(base, offset)| base.wrapping_add(offset));
    // Mostly in step with the virtual address, or there would be few large pages.
    let pa = (
        0u64..3,
        prop_oneof![4 => Just(0), 1 => select(vec![4096, 2 * MIB])],
    );
    let prot = select(vec![
        Prot::RO,
        Prot::RW,
        Prot::RX,
        Prot::RW | Prot::GLOBAL,
        Prot::WRITE | Prot::EXEC,
    ]);
    let cache = select(vec![Cache::WriteBack, Cache::WriteBack, Cache::Device]);
    let budget = prop_oneof![5 => Just(usize::MAX), 1 => 0usize..4];
    let call = select(vec![Call::Map, Call::Map, Call::Unmap, Call::Protect]);
    (call, va, pa, len, prot, cache, budget).prop_map(
        move |(call, va, (n, shift), len, prot, cache, budget)| {
            let pa = (va % GIB + n * GIB / 4 + shift) % (3 * GIB);
            Op {
                call,
                range: Mapping {
                    va,
                    pa,
                    len,
                    prot,
                    cache,
                },
                budget,
            }
        },
    )
}

struct Test<F: Format> {
    mapper: Mapper<F, Arena>,
    model: Model,
    format: F,
    /// Flags that the format has no bits for.
    dropped: Prot,
}

impl<F: Format + Walker> Test<F> {
    fn new(format: F, dropped: Prot) -> Self {
        Self {
            mapper: Arena::mapper(format),
            model: Model::default(),
            format,
            dropped,
        }
    }

    fn run(&mut self, ops: &[Op]) {
        for op in ops {
            self.mapper.memory_mut().budget = op.budget;
            let before = (self.model.clone(), self.mapper.top_generation(), self.top());
            match op.call {
                Call::Map => self.map(op.range),
                Call::Unmap => self.unmap(op.range),
                Call::Protect => self.protect(op.range),
            }
            self.check(op.range);
            let same_top = before.2 == self.top();
            assert_eq!(
                before.1 == self.mapper.top_generation(),
                same_top,
                "the count and the root"
            );
        }
    }

    fn top(&mut self) -> Vec<u64> {
        let root = self.mapper.root();
        let slots = F::slots(F::LEVELS - 1);
        let memory = self.mapper.memory_mut();
        (0..slots)
            .map(|index| memory.entry(root, index, size_of::<F::Entry>()))
            .collect()
    }

    /// The error that the range by itself deserves.
    fn bad_range(&self, m: &Mapping) -> Option<MapError> {
        let mask = (1u128 << F::VA_BITS) - 1;
        let first = self.format.extend(m.va & mask as u64);
        let fits = first == m.va && (m.va as u128 & mask) + m.len as u128 <= mask + 1;
        let last = m.va as u128 + m.len.saturating_sub(1) as u128;
        let last_fits = u64::try_from(last).is_ok_and(|last| self.format.extend(last & mask as u64) == last);
        (!(fits && last_fits)).then_some(MapError::OutsideSpace { va: m.va })
    }

    fn map(&mut self, m: Mapping) {
        let result = self.mapper.map(m.va, m.pa, m.len, m.prot, m.cache);
        let there = self.model.within(m.va, m.len);
        match result {
            Err(MapError::NoTableMemory) => assert_eq!(self.mapper.memory_mut().budget, 0),
            Err(MapError::WriteExec) => assert!(m.prot.contains(Prot::WRITE | Prot::EXEC)),
            Err(MapError::AlreadyMapped { va, old }) => {
                let first = there.0[0];
                assert_eq!(
                    (va, old.pa, old.prot, old.cache),
                    (first.va, first.pa, first.prot, first.cache)
                );
            }
            Err(error) => assert_eq!(Some(error), self.bad_range(&m)),
            Ok(()) => {
                assert_eq!((self.bad_range(&m), &there.0[..]), (None, &[][..]));
                assert!(!m.prot.contains(Prot::WRITE | Prot::EXEC));
                if m.len > 0 {
                    self.model.add(&Model(vec![Mapping {
                        prot: m.prot - self.dropped,
                        ..m
                    }]));
                }
            }
        }
    }

    fn unmap(&mut self, m: Mapping) {
        let mut removed = Model::default();
        match self.mapper.unmap(m.va, m.len, |mapping| removed.0.push(mapping)) {
            Err(MapError::NoTableMemory) => {
                assert_eq!((self.mapper.memory_mut().budget, removed.0.len()), (0, 0))
            }
            Err(error) => assert_eq!((Some(error), removed.0.len()), (self.bad_range(&m), 0)),
            Ok(flush) => {
                let there = self.model.within(m.va, m.len);
                assert_eq!(flush == Flush::Needed, !removed.0.is_empty());
                removed.merge();
                assert_eq!(removed, there);
                self.model.remove(m.va, m.len);
            }
        }
    }

    fn protect(&mut self, m: Mapping) {
        let result = self.mapper.protect(m.va, m.len, m.prot);
        let mut there = self.model.within(m.va, m.len);
        match result {
            Err(MapError::NoTableMemory) => assert_eq!(self.mapper.memory_mut().budget, 0),
            Err(MapError::WriteExec) => assert!(m.prot.contains(Prot::WRITE | Prot::EXEC)),
            Err(MapError::NotMapped { va }) => {
                assert!(there.total() < m.len);
                assert!(self.model.within(va, 4096).0.is_empty());
                assert_eq!(self.model.within(m.va, va - m.va).total(), va - m.va);
            }
            Err(error) => assert_eq!(Some(error), self.bad_range(&m)),
            Ok(flush) => {
                assert_eq!(there.total(), m.len);
                let prot = m.prot - self.dropped;
                assert_eq!(flush == Flush::Needed, there.0.iter().any(|old| old.prot != prot));
                there.0.iter_mut().for_each(|mapping| mapping.prot = prot);
                self.model.remove(m.va, m.len);
                self.model.add(&there);
            }
        }
    }

    fn check(&mut self, last: Mapping) {
        let mut walked = Vec::new();
        self.mapper.walk(|mapping| walked.push(mapping));
        assert_eq!(walked, self.model.0);
        assert_eq!(self.mapper.audit_wx(), None);
        let probes = self.model.0.iter().chain([&last]);
        let around = probes.flat_map(|m| {
            [
                m.va.wrapping_sub(1),
                m.va,
                m.va.wrapping_add(m.len / 2),
                m.va.wrapping_add(m.len),
            ]
        });
        for va in around.collect::<Vec<_>>() {
            self.probe(va);
            self.probe(va.wrapping_sub(1));
        }
        let (root, format) = (self.mapper.root(), self.format);
        let arena = self.mapper.memory_mut();
        assert_eq!(
            arena.reachable(format, root, F::LEVELS - 1),
            arena.tables(),
            "a table is lost"
        );
    }

    /// One byte, as the model, the mapper and the CPU see it.
    fn probe(&mut self, va: u64) {
        let format = self.format;
        if format.extend(va & ((1 << F::VA_BITS) - 1)) != va {
            assert_eq!(self.mapper.translate(va), None);
            return;
        }
        let model = self.model.within(va, 1).0.first().copied();
        let mapper = self.mapper.translate(va);
        assert_eq!(
            mapper.map(|t| (t.pa, t.prot, t.cache)),
            model.map(|m| (m.pa, m.prot, m.cache))
        );
        let root = self.mapper.root();
        let cpu = format.walk(self.mapper.memory_mut(), root, va);
        let expected = model.map(|m| Seen {
            pa: m.pa,
            write: m.prot.contains(Prot::WRITE),
            exec: m.prot.contains(Prot::EXEC) || !format.enforces_no_exec(),
            global: m.prot.contains(Prot::GLOBAL),
            device: m.cache == Cache::Device,
        });
        assert_eq!(cpu, expected);
    }
}

const LOW_4G: &[u64] = &[0, GIB - 4 * MIB, 3 * GIB, 4 * GIB - 4 * MIB, 4 * GIB - 4096];
/// The top of the lower half, the bottom of the upper, and the end of all addresses.
const X86_64_BASES: &[u64] = &[
    0,
    0x7fff_c000_0000,
    0x7fff_ffff_f000,
    0xffff_8000_0000_0000,
    0xffff_ffff_8000_0000,
    0xffff_ffff_ffff_f000,
];
const UPPER: &[u64] = &[
    0xffff_0000_0000_0000,
    0xffff_7fff_c000_0000,
    0xffff_ffff_c000_0000,
    0xffff_ffff_ffff_f000,
];
const LOWER: &[u64] = &[0, 0x7fff_c000_0000, 0xffff_c000_0000, 0xffff_ffff_f000];

const NONE: X86Features = X86Features::empty();
const ALL: X86Features = X86Features::all();
const KEPT: Prot = Prot::empty();

/// Long sequences, so fewer of them.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

macro_rules! models {
    ($($name:ident: $format:expr, $dropped:expr, $bases:expr, $largest:expr;)*) => {
        proptest! {
            #![proptest_config(config())]
            $(
                #[test]
                fn $name(ops in vec(ops($bases, $largest), 1..24)) {
                    Test::new($format, $dropped).run(&ops);
                }
            )*
        }
    };
}

models! {
    x86_64_all: X86_64::new(ALL, 40), KEPT, X86_64_BASES, GIB;
    x86_64_bare: X86_64::new(NONE, 36), Prot::GLOBAL, X86_64_BASES, 8 * MIB;
    x86_legacy_all: X86Legacy::new(ALL), KEPT, LOW_4G, 16 * MIB;
    x86_legacy_bare: X86Legacy::new(NONE), Prot::GLOBAL, LOW_4G, 4 * MIB;
    x86_pae_all: X86Pae::new(ALL, 36), KEPT, LOW_4G, 16 * MIB;
    x86_pae_bare: X86Pae::new(NONE, 36), Prot::GLOBAL, LOW_4G, 4 * MIB;
    aarch64_upper: Aarch64::new(Half::Upper, 40), KEPT, UPPER, GIB;
    aarch64_lower: Aarch64::new(Half::Lower, 40), KEPT, LOWER, GIB;
}
