//! Any sequence of calls with any numbers: the invariants of the lists hold after each.
#![no_main]

use arbitrary::Arbitrary;
use boot_info::memblock::{Direction, Memblock, Regions};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Op {
    Add(u64, u64),
    Remove(u64, u64),
    Reserve(u64, u64),
    Release(u64, u64),
    LimitTotal(u64),
    LimitAddress(u64),
    Alloc {
        size: u64,
        align: u64,
        from: u64,
        to: u64,
        top_down: bool,
    },
}

fn sorted_and_apart<const N: usize>(regions: &Regions<N>) {
    let all: Vec<_> = regions.iter().collect();
    assert!(all.iter().all(|r| r.start < r.end));
    assert!(all.windows(2).all(|pair| pair[0].end < pair[1].start));
}

fn apply(op: &Op, mb: &mut Memblock<8>) {
    match *op {
        Op::Add(start, len) => drop(mb.add(start, len)),
        Op::Remove(start, len) => drop(mb.remove(start, len)),
        Op::Reserve(start, len) => drop(mb.reserve(start, len)),
        Op::Release(start, len) => drop(mb.release(start, len)),
        Op::LimitTotal(bytes) => mb.limit_total(bytes),
        Op::LimitAddress(at) => mb.limit_address(at),
        Op::Alloc {
            size,
            align,
            from,
            to,
            top_down,
        } => {
            let direction = if top_down {
                Direction::TopDown
            } else {
                Direction::BottomUp
            };
            let free: Vec<_> = mb.free().collect();
            if let Ok(at) = mb.alloc(size, align, from..to, direction) {
                assert!(at % align == 0 && from <= at && at + size <= to);
                assert!(free.iter().any(|r| r.start <= at && at + size <= r.end));
                assert!(mb.is_reserved(at, size));
            }
        }
    }
}

fuzz_target!(|ops: Vec<Op>| {
    let mut mb = Memblock::<8>::new();
    for op in &ops {
        apply(op, &mut mb);
        sorted_and_apart(mb.memory());
        sorted_and_apart(mb.reserved());
        assert!(
            mb.free()
                .all(|r| mb.is_memory(r.start, r.end - r.start) && !mb.is_reserved(r.start, r.end - r.start))
        );
    }
});
