//! Sizes of pages, splitting them, and memory for tables that runs out.

use paging::{Cache, Flush, Format, MapError, Mapper, Mapping, PAGE_SIZE, Prot, X86_64, X86Features};

use crate::arena::Arena;

const ALL: X86Features = X86Features::all();
const WB: Cache = Cache::WriteBack;
const KIB4: u64 = PAGE_SIZE;
const MIB2: u64 = 2 << 20;
const GIB: u64 = 1 << 30;
/// Where x86_64 keeps the linear map.
const PHYSMAP: u64 = 0xffff_8880_0000_0000;

fn x86_64() -> Mapper<X86_64, Arena> {
    Arena::mapper(X86_64::new(ALL, 46))
}

/// The sizes of the pages in a range, by taking it apart.
fn sizes<F: Format>(mut mapper: Mapper<F, Arena>, va: u64, len: u64) -> Vec<u64> {
    let mut sizes = Vec::new();
    assert_eq!(
        mapper.unmap(va, len, |mapping| sizes.push(mapping.len)),
        Ok(Flush::Needed)
    );
    sizes
}

#[test]
fn biggest_pages() {
    let mut mapper = x86_64();
    let (va, len) = (PHYSMAP + GIB - MIB2 - KIB4, KIB4 + MIB2 + GIB + MIB2 + KIB4);
    mapper.map(va, GIB - MIB2 - KIB4, len, Prot::RW, WB).unwrap();
    assert_eq!(sizes(mapper, va, len), [KIB4, MIB2, GIB, MIB2, KIB4]);
}

#[test]
fn biggest_pages_need_both_alignments() {
    let mut mapper = x86_64();
    mapper.map(PHYSMAP, MIB2, GIB, Prot::RW, WB).unwrap();
    assert_eq!(sizes(mapper, PHYSMAP, GIB), [MIB2; 512]);
    let mut mapper = x86_64();
    mapper.map(PHYSMAP, KIB4, MIB2, Prot::RW, WB).unwrap();
    assert_eq!(sizes(mapper, PHYSMAP, MIB2), [KIB4; 512]);
}

#[test]
fn an_empty_table_in_the_way_is_used() {
    let mut mapper = x86_64();
    mapper.map(PHYSMAP + KIB4, 0, KIB4, Prot::RW, WB).unwrap();
    assert_eq!(mapper.unmap(PHYSMAP, MIB2, |_| ()), Ok(Flush::Needed));
    let tables = mapper.memory_mut().tables();
    mapper.map(PHYSMAP, 0, MIB2, Prot::RW, WB).unwrap();
    assert_eq!(mapper.memory_mut().tables(), tables);
    assert_eq!(sizes(mapper, PHYSMAP, MIB2), [KIB4; 512]);
}

/// Unmaps the page in the middle of a leaf of 1 GiB; two tables are needed for that.
#[test]
fn splitting_keeps_everything_else() {
    let mut mapper = x86_64();
    let prot = Prot::RW | Prot::GLOBAL;
    mapper.map(PHYSMAP, GIB, GIB, prot, Cache::Device).unwrap();
    let tables = mapper.memory_mut().tables();
    let middle = GIB / 2 + 5 * KIB4;
    assert_eq!(
        mapper.protect(PHYSMAP + middle, KIB4, Prot::RO),
        Ok(Flush::Needed)
    );
    assert_eq!(mapper.memory_mut().tables(), tables + 2);
    let mut runs = Vec::new();
    mapper.walk(|run| runs.push(run));
    let run = |at, len, prot| Mapping {
        va: PHYSMAP + at,
        pa: GIB + at,
        len,
        prot,
        cache: Cache::Device,
    };
    let after = middle + KIB4;
    assert_eq!(
        runs,
        [
            run(0, middle, prot),
            run(middle, KIB4, Prot::RO),
            run(after, GIB - after, prot)
        ]
    );
    assert_eq!(mapper.translate(PHYSMAP).unwrap().size, MIB2);
    assert_eq!(mapper.translate(PHYSMAP + middle + MIB2).unwrap().size, MIB2);
    assert_eq!(mapper.translate(PHYSMAP + middle).unwrap().size, KIB4);
}

#[test]
fn whole_leaves_are_not_split() {
    let mut mapper = x86_64();
    mapper.map(PHYSMAP, 0, 2 * GIB, Prot::RW, WB).unwrap();
    let tables = mapper.memory_mut().tables();
    assert_eq!(mapper.protect(PHYSMAP + GIB, GIB, Prot::RO), Ok(Flush::Needed));
    assert_eq!(mapper.protect(PHYSMAP + GIB, GIB, Prot::RO), Ok(Flush::NotNeeded));
    assert_eq!(mapper.unmap(PHYSMAP + GIB / 2, 0, |_| ()), Ok(Flush::NotNeeded));
    assert_eq!(mapper.memory_mut().tables(), tables);
    assert_eq!(sizes(mapper, PHYSMAP, 2 * GIB), [GIB, GIB]);
}

/// All of a half at once: 131072 pages of 1 GiB.
#[test]
fn huge() {
    let mut mapper = Arena::mapper(X86_64::new(ALL, 48));
    let va = 0xffff_8000_0000_0000;
    mapper.map(va, 0, 1 << 47, Prot::RW, WB).unwrap();
    assert_eq!(mapper.memory_mut().tables(), 1 + 256);
    let mut runs = Vec::new();
    mapper.walk(|run| runs.push(run));
    assert_eq!(
        runs,
        [Mapping {
            va,
            pa: 0,
            len: 1 << 47,
            prot: Prot::RW,
            cache: WB
        }]
    );
    assert_eq!(mapper.translate(u64::MAX).unwrap().pa, (1 << 47) - 1);
}

#[test]
fn memory_runs_out_and_comes_back() {
    let mut mapper = x86_64();
    for budget in 0..3 {
        mapper.memory_mut().budget = usize::from(budget > 0);
        assert_eq!(
            mapper.map(PHYSMAP, 0, KIB4, Prot::RW, WB),
            Err(MapError::NoTableMemory)
        );
        assert_eq!(mapper.translate(PHYSMAP), None);
    }
    // Two of the three tables are linked by now, and used.
    mapper.memory_mut().budget = 1;
    mapper.map(PHYSMAP, 0, KIB4, Prot::RW, WB).unwrap();
    assert_eq!(mapper.memory_mut().tables(), 1 + 3);
}

#[test]
fn memory_runs_out_in_a_split() {
    let mut mapper = x86_64();
    mapper.map(PHYSMAP, 0, GIB, Prot::RW, WB).unwrap();
    // Two for the one end; the other end then has none.
    let (va, len) = (PHYSMAP + KIB4, GIB / 2);
    mapper.memory_mut().budget = 2;
    assert_eq!(
        mapper.unmap(va, len, |_| panic!("nothing may go")),
        Err(MapError::NoTableMemory)
    );
    mapper.memory_mut().budget = 0;
    assert_eq!(mapper.protect(va, len, Prot::RO), Err(MapError::NoTableMemory));
    let mut runs = Vec::new();
    mapper.walk(|run| runs.push(run));
    assert_eq!(
        runs,
        [Mapping {
            va: PHYSMAP,
            pa: 0,
            len: GIB,
            prot: Prot::RW,
            cache: WB
        }]
    );
    mapper.memory_mut().budget = 1;
    assert_eq!(mapper.protect(va, len, Prot::RO), Ok(Flush::Needed));
}

#[test]
fn another_memory_takes_over() {
    let mut mapper = x86_64();
    mapper.map(PHYSMAP, 0, KIB4, Prot::RW, WB).unwrap();
    let generation = mapper.top_generation();
    let mut arena = core::mem::replace(mapper.memory_mut(), Arena::at(0));
    // SAFETY: the arena is the one all tables are in; the mapper is not used in between.
    let mut mapper = unsafe { mapper.with_memory(&mut arena) };
    assert_eq!(mapper.top_generation(), generation);
    mapper.map(PHYSMAP + KIB4, KIB4, KIB4, Prot::RW, WB).unwrap();
    assert_eq!(mapper.translate(PHYSMAP + KIB4).unwrap().pa, KIB4);
    assert_eq!(mapper.format(), X86_64::new(ALL, 46));
}
