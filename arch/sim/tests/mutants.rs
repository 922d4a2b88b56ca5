//! Negative controls: a simulator that finds nothing proves nothing.

use std::io::Write as _;
use std::thread;

use sim::campaign::play_all;
use smp_stop::mutants::Mutant;

/// Faults that this machine cannot show: it executes one CPU at a time, in program order, and its firmware does not start
/// a CPU that it refused to start; its CPUs say nothing. The models under loom see them.
const NOT_HERE: [Mutant; 5] = [
    Mutant::RelaxedAck,
    Mutant::StaleGeneration,
    Mutant::UnaskedParks,
    Mutant::DoorAjar,
    Mutant::WordsEarly,
];

/// Schedules that a fault may hide in.
const SCHEDULES: u64 = 40_000;

#[test]
fn every_mutant_is_caught() {
    let survivors: Vec<Mutant> = Mutant::ALL
        .into_iter()
        .filter(|mutant| !NOT_HERE.contains(mutant))
        .filter(|mutant| !is_caught(*mutant))
        .collect();
    assert!(survivors.is_empty(), "not caught: {survivors:?}");
}

fn is_caught(mutant: Mutant) -> bool {
    let threads = thread::available_parallelism().map_or(1, Into::into);
    let tally = play_all(0..SCHEDULES, threads, Some(mutant));
    let Some((seed, failure)) = tally.failure else {
        return false;
    };
    // Past the test harness, which swallows the output of tests that pass.
    let _ = writeln!(
        std::io::stderr(),
        "sim: {:20} is caught with seed {seed:>5}: {failure:.70}",
        format!("{mutant:?}")
    );
    true
}
