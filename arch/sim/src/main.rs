//! `cargo run -p sim --release`: schedules by the million, or one of them told step by step.

use std::process::ExitCode;
use std::thread;

use clap::Parser;
use sim::campaign::{self, Tally};
use sim::fiber::Stacks;

/// Plays machines of 2 to 64 CPUs in which signals get lost, CPUs hang, clocks stop and everybody panics, with the real
/// stop engine, and checks after each that every CPU is accounted for. Everything follows from the seed.
#[derive(Parser)]
struct Options {
    /// How many schedules to play.
    #[arg(long, default_value_t = 100_000)]
    schedules: u64,
    /// The seed of the first.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Play this one only, and tell all that happens in it.
    #[arg(long)]
    seed: Option<u64>,
    /// Threads to play on; as many as the host has CPUs when not given.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(seed) = options.seed {
        return replay(seed);
    }
    let threads = options
        .threads
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into));
    let seeds = options.first..options.first.saturating_add(options.schedules);
    report(&campaign::play_all(seeds, threads, None), threads)
}

fn replay(seed: u64) -> ExitCode {
    let run = campaign::play(seed, &mut Stacks::default(), true);
    match run.failure {
        None => {
            println!("seed {seed}: {} steps, no violation", run.steps);
            ExitCode::SUCCESS
        }
        Some(failure) => {
            println!("seed {seed}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn report(tally: &Tally, threads: usize) -> ExitCode {
    let seconds = tally.took.as_secs_f64().max(1e-9);
    println!(
        "sim: {} schedules, {} steps in {seconds:.1} s on {threads} threads: {:.0} schedules/s",
        tally.schedules,
        tally.steps,
        tally.schedules as f64 / seconds
    );
    println!(
        "sim: {} ended with every CPU standing still, {} with some named, {} with nobody left to tell",
        tally.stopped, tally.partial, tally.unowned
    );
    match &tally.failure {
        None => {
            println!("sim: no violation");
            ExitCode::SUCCESS
        }
        Some((seed, failure)) => {
            println!("sim: VIOLATION with seed {seed}: {failure}");
            println!("sim: replay it with: cargo run -p sim --release -- --seed {seed}");
            ExitCode::FAILURE
        }
    }
}
