//! A small share of what `cargo run -p sim --release -- --schedules 1000000` plays.

use std::thread;

use sim::campaign::{play, play_all};
use sim::fiber::Stacks;

#[test]
fn twenty_thousand_schedules_hold() {
    let threads = thread::available_parallelism().map_or(1, Into::into);
    let tally = play_all(0..20_000, threads, None);
    assert_eq!(
        tally.failure, None,
        "replay with: cargo run -p sim --release -- --seed N"
    );
    assert_eq!(tally.schedules, 20_000);
    assert!(
        tally.stopped > 8_000 && tally.partial > 4_000,
        "the dice are loaded: {tally:?}"
    );
}

#[test]
fn a_seed_replays_to_the_last_step() {
    let mut stacks = Stacks::default();
    for seed in [1, 77, 4711, 1 << 40] {
        let first = play(seed, &mut stacks, false);
        // On other stacks, and with others played before.
        let again = play(seed, &mut Stacks::default(), false);
        assert_eq!(first.steps, again.steps);
        assert_eq!(first.signals, again.signals);
        let rows = |run: &sim::world::Run| -> Vec<_> { run.ends.iter().map(|end| end.row).collect() };
        assert_eq!(rows(&first), rows(&again));
    }
}
