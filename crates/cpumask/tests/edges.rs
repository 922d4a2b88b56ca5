//! One word, one bit less, one bit more, and the last bit there is.

use cpumask::{AtomicCpuMask, CpuId, CpuMask, OutOfRange, ParseListError, words};

const BITS: u32 = usize::BITS;

fn ids(numbers: &[u32]) -> Vec<CpuId> {
    numbers.iter().copied().map(CpuId::new).collect()
}

#[test]
fn sizes() {
    assert_eq!(
        [0, 1, BITS - 1, BITS, BITS + 1, 2 * BITS].map(words),
        [1, 1, 1, 1, 2, 2]
    );
    assert_eq!(words(u32::MAX), (1 << 32) / BITS as usize);
    assert_eq!(CpuMask::<1>::CAPACITY, BITS);
    assert_eq!(CpuMask::<8>::CAPACITY, 8 * BITS);
    assert_eq!(CpuMask::<0>::CAPACITY, 0);
    assert_eq!(size_of::<CpuMask<3>>(), 3 * size_of::<usize>());
}

#[test]
fn first_n_around_a_word() {
    for n in [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129] {
        let mask = CpuMask::<8>::first_n(n);
        assert_eq!(mask.count(), n);
        assert!(n == 0 || mask.test(CpuId::new(n - 1)));
        assert!(!mask.test(CpuId::new(n)));
        assert_eq!(mask.not_within(n), CpuMask::EMPTY);
        assert_eq!(mask.not_within(n + 1).iter().collect::<Vec<_>>(), ids(&[n]));
    }
}

#[test]
fn first_n_saturates() {
    assert_eq!(CpuMask::<2>::first_n(u32::MAX), CpuMask::first_n(2 * BITS));
    assert_eq!(CpuMask::<2>::first_n(u32::MAX).count(), 2 * BITS);
}

fn last_fits_next_does_not<const W: usize>() {
    let capacity = CpuMask::<W>::CAPACITY;
    let (last, next) = (CpuId::new(capacity - 1), CpuId::new(capacity));
    let mut mask = CpuMask::<W>::from_cpu(last).unwrap();
    assert_eq!(
        (mask.count(), mask.first(), mask.next_after(last)),
        (1, Some(last), None)
    );
    assert_eq!(mask.set(next), Err(OutOfRange { cpu: next, capacity }));
    assert_eq!(
        CpuMask::<W>::from_cpu(next),
        Err(OutOfRange { cpu: next, capacity })
    );
    mask.clear(next);
    assert!(mask.test(last) && !mask.test(next) && !mask.test(CpuId::new(u32::MAX)));
    assert_eq!(mask.next_after(CpuId::new(u32::MAX)), None);
    assert_eq!(mask.to_string(), last.to_string());
}

#[test]
fn last_bit() {
    last_fits_next_does_not::<1>();
    last_fits_next_does_not::<2>();
    last_fits_next_does_not::<{ words(65) }>();
    last_fits_next_does_not::<{ words(512) }>();
    last_fits_next_does_not::<{ words(4096) }>();
}

#[test]
fn no_room_at_all() {
    let cpu = CpuId::BOOT;
    let mut mask = CpuMask::<0>::EMPTY;
    assert_eq!(mask.set(cpu), Err(OutOfRange { cpu, capacity: 0 }));
    assert_eq!((mask.first(), mask.count(), mask.test(cpu)), (None, 0, false));
    assert_eq!(
        "0".parse::<CpuMask<0>>(),
        Err(ParseListError::OutOfRange(OutOfRange { cpu, capacity: 0 }))
    );
}

#[test]
fn atomic_edges() {
    let mask = AtomicCpuMask::<2>::new(CpuMask::first_n(1));
    let (last, next) = (CpuId::new(2 * BITS - 1), CpuId::new(2 * BITS));
    assert_eq!(mask.test_and_set(CpuId::BOOT), Ok(true));
    assert_eq!(mask.test_and_set(last), Ok(false));
    assert_eq!(
        mask.test_and_set(next),
        Err(OutOfRange {
            cpu: next,
            capacity: 2 * BITS
        })
    );
    assert_eq!(
        mask.set(next),
        Err(OutOfRange {
            cpu: next,
            capacity: 2 * BITS
        })
    );
    assert!(mask.test(last) && !mask.test(next) && !mask.test_and_clear(next));
    mask.clear(next);
    mask.clear(CpuId::BOOT);
    assert_eq!(mask.snapshot(), CpuMask::from_cpu(last).unwrap());
    mask.store(&CpuMask::first_n(3));
    assert_eq!(format!("{mask:?}"), "AtomicCpuMask(0-2)");
}

/// Every CPU is added by exactly one of the threads that try.
#[test]
fn one_winner() {
    let mask = AtomicCpuMask::<8>::default();
    let wins = || {
        (0..512)
            .filter(|&cpu| mask.test_and_set(CpuId::new(cpu)) == Ok(false))
            .count()
    };
    let total: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(wins)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(total, 512);
    assert_eq!(mask.snapshot(), CpuMask::first_n(512));
}

#[test]
fn lists() {
    let text = |text: &str| text.parse::<CpuMask<{ words(128) }>>();
    for same in ["", "0", "0-3,7", "0-1", "63-64", "5,7,9-11", "0-127"] {
        assert_eq!(text(same).unwrap().to_string(), same);
    }
    assert_eq!(text("7,0-3,2-5,7").unwrap().to_string(), "0-5,7");
    assert_eq!(text("007").unwrap().to_string(), "7");
}

#[test]
fn lists_refused() {
    let error = |text: &str| text.parse::<CpuMask<{ words(128) }>>().unwrap_err();
    let number = |at| ParseListError::Number { at };
    for (text, at) in [
        (",", 0),
        ("1,", 2),
        (",1", 0),
        ("1,,2", 2),
        ("-", 0),
        ("-1", 0),
        ("1-", 2),
        ("1-2-3", 2),
        ("+1", 0),
        ("1 ", 0),
        ("0,12-x", 5),
        ("4294967296", 0),
        ("٣", 0),
    ] {
        assert_eq!(error(text), number(at), "{text:?}");
    }
    assert_eq!(
        error("3-1"),
        ParseListError::Backwards {
            first: CpuId::new(3),
            last: CpuId::new(1)
        }
    );
    let cpu = CpuId::new(u32::MAX);
    let capacity = CpuMask::<2>::CAPACITY;
    assert_eq!(
        error("0-4294967295"),
        ParseListError::OutOfRange(OutOfRange { cpu, capacity })
    );
}

#[test]
fn messages() {
    let error = |text: &str| text.parse::<CpuMask<2>>().unwrap_err().to_string();
    assert_eq!(
        error("9999"),
        format!("CPU 9999 does not fit a mask of {}", 2 * BITS)
    );
    assert_eq!(error("1,x"), "no CPU number at offset 2");
    assert_eq!(error("3-1"), "the range 3-1 runs backwards");
}
