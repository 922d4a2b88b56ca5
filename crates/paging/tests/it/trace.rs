//! The way to an address, step by step.

use paging::{Aarch64, Cache, Decoded, Half, Prot, Step, X86_64, X86Features, X86Legacy, X86Pae};

use crate::arena::Arena;

fn steps<F: paging::Format>(mapper: &paging::Mapper<F, Arena>, va: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    assert!(mapper.trace(va, |step| steps.push(step)));
    steps
}

#[test]
fn a_walk_tells_level_table_slot_and_entry() {
    let mut mapper = Arena::mapper(X86Legacy::new(X86Features::PSE));
    let va = 0xf100_2000;
    mapper
        .map(va, 0x5000, 0x1000, Prot::RW, Cache::WriteBack)
        .unwrap();
    let way = steps(&mapper, va + 0x123);
    assert_eq!(way.len(), 2);
    assert_eq!(
        (way[0].level, way[0].table, way[0].slot),
        (1, mapper.root(), 0xf10 >> 2)
    );
    let Decoded::Table(below) = way[0].decoded else {
        panic!("{way:?}")
    };
    assert_eq!((way[1].level, way[1].table, way[1].slot), (0, below, 2));
    assert_eq!(way[1].entry & !0xfff, 0x5000);
    assert!(matches!(way[1].decoded, Decoded::Leaf(leaf) if leaf.pa == 0x5000));
}

#[test]
fn a_walk_ends_where_something_is_lacking() {
    let mut mapper = Arena::mapper(X86_64::new(X86Features::NX, 40));
    let va = 0xffff_c900_0000_1000;
    mapper
        .map(va, 0x5000, 0x1000, Prot::RW, Cache::WriteBack)
        .unwrap();
    let beside = steps(&mapper, va + 0x1000);
    assert_eq!(beside.len(), 4);
    assert_eq!(
        (beside[3].level, beside[3].slot, beside[3].entry),
        (0, 2, 0),
        "the page alone is lacking"
    );
    let far = steps(&mapper, 0xffff_8880_0000_0000);
    assert_eq!(far.len(), 1);
    assert_eq!(
        (far[0].level, far[0].slot, far[0].decoded),
        (3, 273, Decoded::Absent)
    );
}

#[test]
fn every_format_is_walked_from_its_root() {
    let pae = Arena::mapper(X86Pae::new(X86Features::empty(), 36));
    assert_eq!(steps(&pae, 0xc000_0000)[0].slot, 3);
    let arm = Arena::mapper(Aarch64::new(Half::Upper, 40));
    assert_eq!(steps(&arm, 0xffff_8000_0000_0000)[0].slot, 256);
}

#[test]
fn what_is_no_address_has_no_steps() {
    let mapper = Arena::mapper(X86_64::new(X86Features::NX, 40));
    assert!(!mapper.trace(0x0000_8000_0000_0000, |_| panic!("a step")));
    let arm = Arena::mapper(Aarch64::new(Half::Upper, 40));
    assert!(!arm.trace(0x1000, |_| panic!("a step")));
}
