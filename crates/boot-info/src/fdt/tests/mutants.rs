//! Damaged blobs: thousands of them, the same on every run, and the worst shapes of full size.

use super::blobs::{fixture, read};
use crate::{fdt::*, testing::XorShift};

fn be(blob: &[u8], at: usize) -> usize {
    u32::from_be_bytes(blob[at..at + 4].try_into().unwrap()) as usize
}

/// Damage anywhere, or only inside property values, which leaves a well-formed tree.
fn values(blob: &[u8]) -> Vec<core::ops::Range<usize>> {
    let (mut at, end) = (be(blob, 8), be(blob, 8) + be(blob, 36));
    let mut values = Vec::new();
    while at < end {
        match be(blob, at) {
            1 => at += 4 + (blob[at + 4..].iter().position(|&b| b == 0).unwrap() + 1).next_multiple_of(4),
            3 => {
                let len = be(blob, at + 4);
                values.push(at + 12..at + 12 + len);
                at += 12 + len.next_multiple_of(4);
            }
            _ => at += 4,
        }
    }
    values.retain(|v| !v.is_empty());
    values
}

#[test]
fn mutants_neither_panic_nor_hang() {
    let mut rng = XorShift(0xfd7);
    for name in ["v3", "v2", "secure", "numa"] {
        let whole = fixture(name);
        for _ in 0..2_500 {
            let mut blob = whole.clone();
            rng.damage(&mut blob, 4);
            let _ = read(&blob).result;
            let mut header = whole.clone();
            rng.damage(&mut header[..HEADER_SIZE], 3);
            let _ = read(&header).result;
        }
    }
}

#[test]
fn damaged_values_leave_a_tree_that_is_read() {
    let mut rng = XorShift(0xda7a);
    for name in ["v3", "v2", "secure", "numa"] {
        let whole = fixture(name);
        let values = values(&whole);
        for _ in 0..2_500 {
            let mut blob = whole.clone();
            for _ in 0..8 {
                let value = values[rng.below(values.len())].clone();
                rng.damage(&mut blob[value], 2);
            }
            let r = read(&blob);
            assert!(
                matches!(r.result, Ok(()) | Err(Error::NoMemory)),
                "{:?}",
                r.result
            );
            assert!(r.info.cpus.iter().all(|c| c.hw_id >> 40 == 0));
        }
    }
}

#[test]
fn random_structures_neither_panic_nor_hang() {
    let mut rng = XorShift(0x57a7);
    let whole = fixture("v3");
    let (start, len) = (be(&whole, 8), be(&whole, 36));
    for _ in 0..5_000 {
        let mut blob = whole.clone();
        // Tokens, small lengths and names of real properties, in any order, and a good end.
        for word in blob[start + 8..start + len - 8]
            .chunks_exact_mut(4)
            .take(rng.below(200))
        {
            let value = [1u32, 2, 3, 4, 0, 4, 8, rng.below(400) as u32][rng.below(8)];
            word.copy_from_slice(&value.to_be_bytes());
        }
        let _ = read(&blob).result;
    }
}

#[test]
fn cut_blobs_are_refused() {
    let whole = fixture("v2");
    for len in 0..whole.len() {
        assert!(read(&whole[..len]).result.is_err());
    }
}

/// A blob around a structure block.
fn wrap(structure: &[u8], strings: &[u8]) -> Vec<u8> {
    let (at_strings, total) = (56 + structure.len(), 56 + structure.len() + strings.len());
    let header = [
        0xd00d_feed,
        total,
        56,
        at_strings,
        40,
        17,
        16,
        0,
        strings.len(),
        structure.len(),
    ];
    let header = header.map(|word| (word as u32).to_be_bytes());
    [header.as_flattened(), &[0; 16], structure, strings].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// What costs most for its size: each takes all the space there is.
#[test]
fn the_worst_trees_of_full_size_are_read_in_time() {
    let (open, close, end) = (words(&[1, 0]), words(&[2]), words(&[2, 9]));
    let room = MAX_SIZE - 400;
    let wide = |one: &[u8]| [&open[..], &one.repeat(room / one.len()), &end].concat();

    let flat = wide(&words(&[1, 0, 2]));
    let props = wide(&words(&[3, 0, 0]));
    let nops = wide(&words(&[4]));
    let cpu = words(&[1, u32::from_be_bytes(*b"cpu\0"), 3, 4, 0, 7, 2]);
    let cpus = [
        &open[..],
        &words(&[1, u32::from_be_bytes(*b"cpus"), 0]),
        &cpu.repeat(room / cpu.len()),
        &close,
        &end,
    ]
    .concat();
    let fifteen = [
        open.repeat(14),
        words(&[1, 0, 2]).repeat(room / 12),
        close.repeat(14),
    ]
    .concat();
    let deep = [&open[..], &fifteen, &end].concat();
    for (structure, result) in [
        (flat, Err(Error::NoMemory)),
        (props, Err(Error::NoMemory)),
        (nops, Err(Error::NoMemory)),
        (cpus, Err(Error::NoMemory)),
        (deep, Err(Error::NoMemory)),
        (open.repeat(17), Err(Error::TooDeep)),
    ] {
        assert_eq!(read(&wrap(&structure, b"reg\0")).result, result);
    }
    let long = [vec![b'x'; 300], vec![0]].concat();
    assert_eq!(
        read(&wrap(&[words(&[1, 0, 3, 0, 0]), end].concat(), &long)).result,
        Err(Error::BadStructure)
    );
}
