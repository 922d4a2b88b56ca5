//! How deep a CPU is in its own failures. Nothing on the way down returns, so each failure on the way is one more on the same
//! stack: without a bound it ends in a triple fault, or writes over what lies below.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::arch::Arch;
use crate::cpu::{self, CpuId, NR_CPUS, POSSIBLE};

/// Failures of one CPU that are looked into: as many as the engine lets its owner come again, and those of the report.
const MOST: u8 = 10;

static NESTING: Nesting<NR_CPUS> = Nesting::new();

/// Proof that a failure has been counted, and how many its CPU has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure(u8);

impl Failure {
    /// Whether it is neither the first nor the second: what is not needed is left out.
    pub(super) const fn is_deep(self) -> bool {
        self.0 > 2
    }
}

/// Counts one more failure of the executing CPU, before anything else is done about it. One too many goes no further.
pub(super) fn enter<A: Arch>() -> Failure {
    let cpus = POSSIBLE.snapshot().count();
    match NESTING.enter(cpus, || cpu::by_hw_id(A::hw_id())) {
        Depth::Counted(failure) => failure,
        Depth::TooDeep => super::without_a_word::<A>(),
        Depth::Bottomless => loop {
            core::hint::spin_loop();
        },
    }
}

/// What came of counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Counted(Failure),
    /// No more is told.
    TooDeep,
    /// Not even that could be done.
    Bottomless,
}

struct Nesting<const CPUS: usize> {
    depths: [AtomicU8; CPUS],
    /// Of all CPUs that are not known.
    unknown: AtomicU8,
    /// How many CPUs are in the middle of being counted: one that fails there comes again, with itself among them.
    counting: AtomicU32,
}

impl<const CPUS: usize> Nesting<CPUS> {
    const fn new() -> Self {
        Self {
            depths: [const { AtomicU8::new(0) }; CPUS],
            unknown: AtomicU8::new(0),
            counting: AtomicU32::new(0),
        }
    }

    /// Counts a failure of the CPU that `me` finds out; there may be `cpus` at it.
    fn enter(&self, cpus: u32, me: impl FnOnce() -> Option<CpuId>) -> Depth {
        let others = self.counting.fetch_add(1, Ordering::Relaxed);
        let me = match others.checked_sub(cpus) {
            None => me(),
            Some(0..=2) => None,
            Some(_) => return Depth::Bottomless,
        };
        let depth = me.and_then(|cpu| self.depths.get(cpu.as_usize()));
        let before = depth.unwrap_or(&self.unknown).fetch_add(1, Ordering::Relaxed);
        self.counting.fetch_sub(1, Ordering::Relaxed);
        match before {
            0..MOST => Depth::Counted(Failure(before + 1)),
            MOST => Depth::TooDeep,
            _ => Depth::Bottomless,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_that_fails_for_ever_comes_to_an_end() {
        let nesting = Nesting::<2>::new();
        let one = || Some(CpuId::new(1));
        for nth in 1..=MOST {
            assert_eq!(nesting.enter(2, one), Depth::Counted(Failure(nth)));
            assert_eq!(Failure(nth).is_deep(), nth > 2);
        }
        assert_eq!(nesting.enter(2, one), Depth::TooDeep);
        assert_eq!(nesting.enter(2, one), Depth::Bottomless);
        // The others have failures of their own.
        assert_eq!(nesting.enter(2, || Some(CpuId::BOOT)), Depth::Counted(Failure(1)));
        // And those that are not known, or have no place.
        assert_eq!(nesting.enter(2, || None), Depth::Counted(Failure(1)));
        assert_eq!(
            nesting.enter(2, || Some(CpuId::new(2))),
            Depth::Counted(Failure(2))
        );
    }

    #[test]
    fn one_that_fails_while_it_is_counted_comes_to_an_end() {
        fn fail(nesting: &Nesting<4>, calls: &AtomicU8) -> Option<CpuId> {
            assert!(calls.fetch_add(1, Ordering::Relaxed) < 20, "no bound");
            // The failure's own failure is counted while this one is not yet; it does not return.
            match nesting.enter(4, || fail(nesting, calls)) {
                Depth::Counted(_) => panic!("told"),
                Depth::TooDeep | Depth::Bottomless => panic!("not told"),
            }
        }
        let (nesting, calls) = (Nesting::<4>::new(), AtomicU8::new(0));
        let told = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| fail(&nesting, &calls)));
        assert_eq!(
            told.unwrap_err().downcast_ref::<&str>(),
            Some(&"told"),
            "as a CPU that is not known"
        );
        assert_eq!(calls.load(Ordering::Relaxed), 5);
    }
}
