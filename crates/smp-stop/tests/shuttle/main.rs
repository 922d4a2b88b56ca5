//! The engine on machines too large for every order of events: orders at random, and by PCT, which favours the few
//! unlikely switches that most bugs need.
//!
//! `cargo test -p smp-stop --features shuttle --test shuttle -- --include-ignored`; `EXECUTIONS=N` says how many each model
//! gets. A failure prints the schedule that led to it.

#[path = "../model/audit.rs"]
mod audit;
#[path = "../model/machine.rs"]
mod machine;
mod models;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use models::{MODELS, Model};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use smp_stop::mutants::{self, Mutant};

/// CPUs.
const N: usize = 12;

/// A wait is where others run.
fn relax() {
    shuttle::thread::yield_now();
}

/// Executions of each model under each scheduler, unless the environment says otherwise.
const EXECUTIONS: usize = 500;

/// How many switches of priority PCT places.
const DEPTH: usize = 4;

fn config(failures: FailurePersistence) -> Config {
    let mut config = Config::new();
    config.failure_persistence = failures;
    config.stack_size = 256 << 10;
    config.max_steps = MaxSteps::FailAfter(2_000_000);
    config
}

fn run(model: &Model, scheduler: impl Scheduler + 'static) -> usize {
    Runner::new(scheduler, config(FailurePersistence::Print)).run(model.run)
}

/// Past the test harness, which swallows the output of tests that pass.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn executions() -> usize {
    let wanted = std::env::var("EXECUTIONS");
    wanted.ok().and_then(|n| n.parse().ok()).unwrap_or(EXECUTIONS)
}

#[test]
fn models_hold() {
    let mut total = 0;
    for model in MODELS {
        let start = Instant::now();
        let random = run(model, RandomScheduler::new(executions()));
        let pct = run(model, PctScheduler::new(DEPTH, executions()));
        total += random + pct;
        say(&format!(
            "shuttle: {:18} {N} CPUs, {random:>7} executions at random, {pct:>7} by PCT of depth {DEPTH}, {:.1} s",
            model.name,
            start.elapsed().as_secs_f32()
        ));
    }
    say(&format!(
        "shuttle: {} models, {total} executions in all",
        MODELS.len()
    ));
}

/// Negative controls: faults that many CPUs at once bring out. Every one is caught by loom or the simulator, too.
const CONTROLS: [Mutant; 9] = [
    Mutant::CountInsteadOfState,
    Mutant::AckBeforeSave,
    Mutant::GateRemoved,
    Mutant::StartingNotAsked,
    Mutant::RaiseIgnored,
    Mutant::LoserWalksOn,
    Mutant::ReasonFalls,
    Mutant::NobodyStandsBy,
    Mutant::SilentUnnamed,
];

#[test]
#[ignore = "shuttle tells of each failure at length, wanted or not"]
fn mutants_are_caught() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let survivors: Vec<Mutant> = CONTROLS
        .into_iter()
        .filter(|mutant| !is_caught(*mutant))
        .collect();
    std::panic::set_hook(hook);
    assert!(survivors.is_empty(), "not caught: {survivors:?}");
}

fn is_caught(mutant: Mutant) -> bool {
    let by = MODELS.iter().find(|model| catches(model, mutant));
    if let Some(model) = by {
        say(&format!(
            "shuttle: {:20} is caught by {}",
            format!("{mutant:?}"),
            model.name
        ));
    }
    by.is_some()
}

fn catches(model: &Model, mutant: Mutant) -> bool {
    mutants::activate(Some(mutant));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let random = Runner::new(RandomScheduler::new(EXECUTIONS), config(FailurePersistence::None));
        random.run(model.run);
        let pct = Runner::new(
            PctScheduler::new(DEPTH, EXECUTIONS),
            config(FailurePersistence::None),
        );
        pct.run(model.run);
    }));
    mutants::activate(None);
    outcome.is_err()
}
