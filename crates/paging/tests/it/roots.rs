//! Shadow roots: the i386 kernel's `initial_page_table` and what x86_64 starts its CPUs with.

use paging::{Cache, Difference, Flush, MapError, Mapper, Prot, TableMemory, X86_64, X86Features, X86Legacy};

use crate::arena::Arena;
use crate::walker::Walker;

const ALL: X86Features = X86Features::all();
const WB: Cache = Cache::WriteBack;
const MIB4: u64 = 4 << 20;
/// The i386 kernel's half and its slots.
const KERNEL: u64 = 0xc000_0000;
const SLOTS: core::ops::Range<usize> = 768..1024;

type Legacy = Mapper<X86Legacy, Arena>;

fn i386() -> (Legacy, u64) {
    let mut mapper = Arena::mapper(X86Legacy::new(ALL));
    mapper.map(KERNEL, 0, 16 * MIB4, Prot::RW, WB).unwrap();
    let shadow = mapper.memory_mut().alloc_table().unwrap();
    (mapper, shadow)
}

fn sync(mapper: &Legacy, shadow: u64) -> [Flush; 2] {
    // SAFETY: the shadow is a table of the arena that no CPU runs on.
    [SLOTS.start, 0].map(|first| unsafe { mapper.copy_top_entries(shadow, SLOTS, first) }.unwrap())
}

fn difference(mapper: &Legacy, shadow: u64) -> Option<Difference> {
    // SAFETY: as in `sync`.
    let [same, alias] =
        [SLOTS.start, 0].map(|first| unsafe { mapper.first_difference(shadow, SLOTS, first) }.unwrap());
    assert_eq!(same, alias);
    same
}

#[test]
fn in_step_after_a_copy() {
    let (mut mapper, shadow) = i386();
    let first = Difference {
        slot: 768,
        ours: 0x2e3,
        theirs: 0,
    };
    assert_eq!(difference(&mapper, shadow), Some(first));
    assert_eq!(sync(&mapper, shadow), [Flush::NotNeeded; 2]);
    assert_eq!(difference(&mapper, shadow), None);
    let format = mapper.format();
    let arena = mapper.memory_mut();
    let seen = |va| format.walk(arena, shadow, va).map(|seen| seen.pa);
    assert_eq!(
        [KERNEL + 0x1234, 0x1234, 0x4000_0000].map(seen),
        [Some(0x1234), Some(0x1234), None]
    );
}

/// The bug this is for: what is mapped in a new slot after the copy is not in the shadow; what is mapped in a
/// slot that has its table already is.
#[test]
fn a_new_slot_is_missing_until_the_next_copy() {
    let (mut mapper, shadow) = i386();
    let _ = sync(&mapper, shadow);
    let token = mapper.top_generation();
    let percpu = 0xf100_0000;
    mapper.map(percpu, 0x5000, 0x1000, Prot::RW, WB).unwrap();
    assert_eq!(mapper.top_generation(), token + 1);
    let slot = (percpu >> 22) as usize;
    assert_eq!(
        difference(&mapper, shadow).map(|d| (d.slot, d.theirs)),
        Some((slot, 0))
    );
    assert_eq!(sync(&mapper, shadow), [Flush::NotNeeded; 2]);

    let token = mapper.top_generation();
    mapper.map(percpu + 0x1000, 0x9000, 0x1000, Prot::RW, WB).unwrap();
    assert_eq!(
        (mapper.top_generation(), difference(&mapper, shadow)),
        (token, None)
    );
    let format = mapper.format();
    let seen = format.walk(mapper.memory_mut(), shadow, percpu + 0x1000).unwrap();
    assert_eq!(seen.pa, 0x9000);
}

/// Entries of an i386 root may be large pages: those do not stay in step by themselves, and need a flush.
#[test]
fn large_pages_in_the_root() {
    let (mut mapper, shadow) = i386();
    let _ = sync(&mapper, shadow);
    let token = mapper.top_generation();
    assert_eq!(mapper.protect(KERNEL + MIB4, MIB4, Prot::RO), Ok(Flush::Needed));
    assert_eq!(mapper.top_generation(), token + 1);
    assert_eq!(difference(&mapper, shadow).map(|d| d.slot), Some(769));
    assert_eq!(sync(&mapper, shadow), [Flush::Needed; 2]);
    assert_eq!(mapper.unmap(KERNEL + MIB4, MIB4, |_| ()), Ok(Flush::Needed));
    assert_eq!(mapper.top_generation(), token + 2);
    assert_eq!(sync(&mapper, shadow), [Flush::Needed; 2]);
    assert_eq!(difference(&mapper, shadow), None);
}

#[test]
fn marks_of_the_cpu_are_no_difference() {
    let mut mapper = Arena::mapper(X86_64::new(ALL, 40));
    let physmap = 0xffff_8880_0000_0000;
    mapper.map(physmap, 0, 1 << 30, Prot::RW, WB).unwrap();
    let shadow = mapper.memory_mut().alloc_table().unwrap();
    let slot = 273;
    // SAFETY: the shadow is a table of the arena that no CPU runs on.
    unsafe {
        assert_eq!(
            mapper.copy_top_entries(shadow, slot..slot + 1, 0),
            Ok(Flush::NotNeeded)
        );
        let entry = mapper.memory_mut().entry(shadow, 0, 8);
        mapper.memory_mut().poke(shadow, 0, entry & !0x20);
        assert_eq!(mapper.first_difference(shadow, slot..slot + 1, 0), Ok(None));
        mapper.memory_mut().poke(shadow, 0, entry ^ 0x2);
        let found = Difference {
            slot,
            ours: entry,
            theirs: entry ^ 0x2,
        };
        assert_eq!(
            mapper.first_difference(shadow, slot..slot + 1, 0),
            Ok(Some(found))
        );
    }
    let format = mapper.format();
    assert_eq!(
        format
            .walk(mapper.memory_mut(), shadow, 0x1234)
            .map(|seen| seen.pa),
        Some(0x1234)
    );
}

#[test]
fn an_alias_in_the_root_itself_counts() {
    let (mapper, _) = i386();
    let before = mapper.top_generation();
    // SAFETY: the root is a table of the arena that no CPU runs on.
    let flush = unsafe { mapper.copy_top_entries(mapper.root(), 768..770, 0) };
    assert_eq!(
        (flush, mapper.top_generation()),
        (Ok(Flush::NotNeeded), before + 2)
    );
    assert_eq!(mapper.translate(0x1234).unwrap().pa, 0x1234);
}

#[test]
fn slots_that_do_not_exist() {
    let (mapper, shadow) = i386();
    for (slots, first) in [
        (1000..1025, 0),
        (0..2, 1023),
        (0..1, usize::MAX),
        (usize::MAX - 1..usize::MAX, 0),
    ] {
        // SAFETY: the shadow is a table of the arena that no CPU runs on.
        let (copied, compared) = unsafe {
            (
                mapper.copy_top_entries(shadow, slots.clone(), first),
                mapper.first_difference(shadow, slots, first),
            )
        };
        assert_eq!(
            (copied, compared),
            (Err(MapError::NoSuchSlots), Err(MapError::NoSuchSlots))
        );
    }
}
