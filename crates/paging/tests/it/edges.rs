//! The ends of address spaces, and what is refused.

use paging::{
    Aarch64, Cache, Flush, Format, Half, MapError, Mapper, Mapping, PAGE_SIZE, Prot, TableMemory, X86_64,
    X86Features, X86Legacy, X86Pae,
};

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

/// Maps the last page, and everything, and one page more than there is.
fn end_of_space<F: Format>(format: F, first: u64, size: u64) {
    let last = first + (size - KIB4);
    let mut mapper = Arena::mapper(format);
    mapper.map(last, KIB4, KIB4, Prot::RW, WB).unwrap();
    assert_eq!(mapper.translate(last + 0xfff).unwrap().pa, 0x1fff);
    assert_eq!(mapper.translate(first), None);
    assert_eq!(mapper.protect(last, KIB4, Prot::RX), Ok(Flush::Needed));
    let outside = MapError::OutsideSpace { va: last };
    assert_eq!(mapper.map(last, 0, 2 * KIB4, Prot::RW, WB), Err(outside));
    assert_eq!(mapper.unmap(last, 2 * KIB4, |_| ()), Err(outside));
    assert_eq!(mapper.protect(last, 2 * KIB4, Prot::RO), Err(outside));
    assert_eq!(mapper.unmap(last, KIB4, |_| ()), Ok(Flush::Needed));
    assert_eq!(
        mapper.unmap(first, size, |_| panic!("nothing is mapped")),
        Ok(Flush::NotNeeded)
    );
}

#[test]
fn ends_of_spaces() {
    end_of_space(X86Legacy::new(ALL), 0, 1 << 32);
    end_of_space(X86Pae::new(ALL, 36), 0, 1 << 32);
    end_of_space(X86_64::new(ALL, 46), 0, 1 << 47);
    end_of_space(X86_64::new(ALL, 46), 0xffff_8000_0000_0000, 1 << 47);
    end_of_space(Aarch64::new(Half::Lower, 48), 0, 1 << 48);
    end_of_space(Aarch64::new(Half::Upper, 48), 0xffff_0000_0000_0000, 1 << 48);
}

#[test]
fn ranges_that_are_none() {
    let mut mapper = x86_64();
    let mut refused = |va, len| {
        assert_eq!(
            mapper.map(va, 0, len, Prot::RW, WB),
            Err(MapError::OutsideSpace { va })
        );
    };
    refused(0x8000_0000_0000, KIB4);
    refused(0x7fff_ffff_f000, 2 * KIB4);
    refused(0, 1 << 48);
    refused(0xffff_7fff_ffff_f000, KIB4);
    refused(0xffff_ffff_ffff_f000, !0xfff);
    let mut legacy = Arena::mapper(X86Legacy::new(ALL));
    let va = 1 << 32;
    assert_eq!(
        legacy.map(va, 0, KIB4, Prot::RW, WB),
        Err(MapError::OutsideSpace { va })
    );
    assert_eq!(legacy.translate(va), None);
    let mut lower = Arena::mapper(Aarch64::new(Half::Lower, 48));
    assert_eq!(
        lower.map(PHYSMAP, 0, KIB4, Prot::RW, WB),
        Err(MapError::OutsideSpace { va: PHYSMAP })
    );
    assert_eq!(lower.translate(u64::MAX), None);
}

#[test]
fn empty_ranges_do_nothing() {
    let mut mapper = x86_64();
    let tables = mapper.memory_mut().tables();
    mapper.map(PHYSMAP, 0, 0, Prot::RW, WB).unwrap();
    mapper.map(0, 0, 0, Prot::RW, WB).unwrap();
    assert_eq!(mapper.unmap(0, 0, |_| ()), Ok(Flush::NotNeeded));
    assert_eq!(mapper.protect(0, 0, Prot::RO), Ok(Flush::NotNeeded));
    assert_eq!(mapper.memory_mut().tables(), tables);
}

#[test]
fn misaligned() {
    let mut mapper = x86_64();
    let error = |value| Err(MapError::Misaligned { value });
    assert_eq!(mapper.map(PHYSMAP + 8, 0, KIB4, Prot::RW, WB), error(PHYSMAP + 8));
    assert_eq!(mapper.map(PHYSMAP, 0x800, KIB4, Prot::RW, WB), error(0x800));
    assert_eq!(mapper.map(PHYSMAP, 0, 0x1001, Prot::RW, WB), error(0x1001));
    assert_eq!(
        mapper.protect(PHYSMAP, 1, Prot::RW),
        Err(MapError::Misaligned { value: 1 })
    );
}

/// The last page of physical memory can be mapped, the one after it cannot.
fn phys_limit<F: Format>(format: F) {
    let mut mapper = Arena::mapper(format);
    let va = format.extend(0);
    let top = 1u64 << format.phys_bits();
    let last = top - KIB4;
    mapper.map(va, last, KIB4, Prot::RW, WB).unwrap();
    assert_eq!(mapper.translate(va).unwrap().pa, last);
    let next = va + KIB4;
    for (pa, len) in [(top, KIB4), (last, 2 * KIB4), (!0xfff, 2 * KIB4), (!0xfff, KIB4)] {
        assert_eq!(
            mapper.map(next, pa, len, Prot::RW, WB),
            Err(MapError::PhysTooHigh { pa })
        );
    }
    assert_eq!(mapper.translate(next), None);
}

#[test]
fn phys_limits() {
    phys_limit(X86Legacy::new(ALL));
    phys_limit(X86Pae::new(ALL, 36));
    phys_limit(X86Pae::new(ALL, 52));
    phys_limit(X86_64::new(ALL, 36));
    phys_limit(X86_64::new(ALL, 52));
    phys_limit(Aarch64::new(Half::Upper, 48));
}

#[test]
fn a_table_too_high_for_its_entry_is_refused() {
    let mut arena = Arena::at((1 << 32) - KIB4);
    let root = arena.alloc_table().unwrap();
    // SAFETY: an empty root that no CPU runs on.
    let mut mapper = unsafe { Mapper::new(X86Legacy::new(ALL), root, arena) };
    let error = MapError::PhysTooHigh { pa: 1 << 32 };
    assert_eq!(mapper.map(0, 0, KIB4, Prot::RW, WB), Err(error));
    assert_eq!((mapper.translate(0), mapper.top_generation()), (None, 0));
}

#[test]
fn overlap_is_refused_with_what_is_there() {
    let mut mapper = x86_64();
    mapper.map(PHYSMAP + MIB2, MIB2, MIB2, Prot::RX, WB).unwrap();
    let before = mapper.translate(PHYSMAP + MIB2 + KIB4).unwrap();
    let inside = mapper.map(PHYSMAP + MIB2 + KIB4, 0, KIB4, Prot::RW, WB);
    assert_eq!(
        inside,
        Err(MapError::AlreadyMapped {
            va: PHYSMAP + MIB2 + KIB4,
            old: before
        })
    );
    assert_eq!((before.pa, before.size), (MIB2 + KIB4, MIB2));
    match mapper.map(PHYSMAP, 0, GIB, Prot::RW, WB) {
        Err(MapError::AlreadyMapped { va, old }) => assert_eq!((va, old.pa), (PHYSMAP + MIB2, MIB2)),
        other => panic!("{other:?}"),
    }
    assert_eq!(mapper.translate(PHYSMAP), None);
    assert_eq!(mapper.translate(PHYSMAP + MIB2 + KIB4), Some(before));
}

#[test]
fn writable_code_is_refused_and_found() {
    let mut mapper = x86_64();
    assert_eq!(
        mapper.map(PHYSMAP, 0, KIB4, Prot::WRITE | Prot::EXEC, WB),
        Err(MapError::WriteExec)
    );
    mapper.map(PHYSMAP, 0, KIB4, Prot::RX, WB).unwrap();
    assert_eq!(
        mapper.protect(PHYSMAP, KIB4, Prot::all()),
        Err(MapError::WriteExec)
    );
    assert_eq!(mapper.audit_wx(), None);
    // As boot code does it: 1 GiB at slot 511 of the root, everything allowed.
    let root = mapper.root();
    let below = mapper.memory_mut().alloc_table().unwrap();
    mapper.memory_mut().poke(root, 511, below | 3);
    mapper.memory_mut().poke(below, 510, 0x83);
    let prot = Prot::WRITE | Prot::EXEC;
    let found = Mapping {
        va: 0xffff_ffff_8000_0000,
        pa: 0,
        len: GIB,
        prot,
        cache: WB,
    };
    assert_eq!(mapper.audit_wx(), Some(found));
}

#[test]
fn messages() {
    let mut mapper = x86_64();
    mapper.map(PHYSMAP, MIB2, KIB4, Prot::RW, WB).unwrap();
    let error = mapper.map(PHYSMAP, 0, KIB4, Prot::RW, WB).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0xffff888000000000 is already mapped, to 0x200000"
    );
    let error = mapper.protect(0x1000, KIB4, Prot::RO).unwrap_err();
    assert_eq!(error.to_string(), "nothing is mapped at 0x1000");
}
