//! Many schedules, on as many threads as the host has.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use smp_stop::mutants::{self, Mutant};

use crate::fiber::Stacks;
use crate::random;
use crate::world::{Run, World};

/// What came of them.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Schedules played.
    pub schedules: u64,
    /// Turns taken by all their CPUs.
    pub steps: u64,
    /// Stops in which every CPU stood still.
    pub stopped: u64,
    /// Stops in which some were named.
    pub partial: u64,
    /// Schedules that nobody survived: the only stopper died alone.
    pub unowned: u64,
    /// The lowest seed that failed, and how.
    pub failure: Option<(u64, String)>,
    /// How long it took.
    pub took: Duration,
}

/// Plays one seed. With `traced` it tells all that happens.
pub fn play(seed: u64, stacks: &mut Stacks, traced: bool) -> Run {
    World::new(random::plan(seed), traced).run(stacks)
}

/// Plays the seeds, until one fails. `mutant` is the fault to play them with.
pub fn play_all(seeds: Range<u64>, threads: usize, mutant: Option<Mutant>) -> Tally {
    let start = Instant::now();
    let next = AtomicU64::new(seeds.start);
    let worker = || work(&next, seeds.end, mutant);
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok())
            .collect()
    });
    let mut sum = tallies.into_iter().fold(Tally::default(), Tally::plus);
    sum.took = start.elapsed();
    sum
}

/// Seeds that a thread takes at a time.
const BATCH: u64 = 64;

fn work(next: &AtomicU64, end: u64, mutant: Option<Mutant>) -> Tally {
    mutants::activate(mutant);
    let (mut tally, mut stacks) = (Tally::default(), Stacks::default());
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        for seed in first..(first + BATCH).min(end) {
            tally.count(seed, play(seed, &mut stacks, false));
            if tally.failure.is_some() {
                // Nobody needs to begin anything any more.
                next.store(end, Ordering::Relaxed);
                return tally;
            }
        }
        if first >= end {
            return tally;
        }
    }
}

impl Tally {
    fn count(&mut self, seed: u64, run: Run) {
        self.schedules += 1;
        self.steps += run.steps;
        match run.accounts.last() {
            Some(last) if last.stopped => self.stopped += 1,
            Some(_) => self.partial += 1,
            None => self.unowned += 1,
        }
        self.failure = run.failure.map(|failure| (seed, failure));
    }

    fn plus(mut self, other: Self) -> Self {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.stopped += other.stopped;
        self.partial += other.partial;
        self.unowned += other.unowned;
        self.failure = self.failure.into_iter().chain(other.failure).min();
        self
    }
}
