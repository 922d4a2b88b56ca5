//! The engine under loom: every interleaving of small machines, up to a stated number of preemptions.
//!
//! `cargo test -p smp-stop --release --features loom --test loom`

mod audit;
mod machine;
mod models;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use models::{MODELS, Model};
use smp_stop::checked::{self, Reads};
use smp_stop::mutants::{self, Mutant};

/// Runs a model; how many executions it took.
fn explore(model: &Model, reads: Reads) -> usize {
    checked::choose(reads);
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = executions.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions(model, reads));
    builder.max_branches = 10_000;
    builder.max_duration = std::env::var("SECS")
        .ok()
        .map(|s| std::time::Duration::from_secs(s.parse().unwrap()));
    let run = model.run;
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        run();
    });
    executions.load(Ordering::Relaxed)
}

/// Past the test harness, which swallows the output of tests that pass.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn preemptions(model: &Model, reads: Reads) -> usize {
    match reads {
        Reads::Ordered => model.preemptions[0],
        Reads::Weak => model.preemptions[1],
    }
}

#[test]
fn models_hold() {
    let mut total = 0;
    for model in MODELS {
        for reads in [Reads::Ordered, Reads::Weak] {
            let start = Instant::now();
            let executions = explore(model, reads);
            total += executions;
            say(&format!(
                "loom: {:18} {reads:7?} {executions:>9} executions, at most {} preemptions, {:.1} s",
                model.name,
                preemptions(model, reads),
                start.elapsed().as_secs_f32()
            ));
        }
    }
    say(&format!(
        "loom: {} models, {total} executions in all",
        MODELS.len()
    ));
}

/// Faults that no order of events shows, because they only cost time. The simulator sees them.
const NOT_HERE: [Mutant; 1] = [Mutant::OwnerNeverLooks];

#[test]
fn every_mutant_is_caught() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let survivors: Vec<Mutant> = Mutant::ALL
        .into_iter()
        .filter(|mutant| !NOT_HERE.contains(mutant))
        .filter(|mutant| !is_caught(*mutant))
        .collect();
    std::panic::set_hook(hook);
    assert!(survivors.is_empty(), "not caught: {survivors:?}");
}

fn is_caught(mutant: Mutant) -> bool {
    for model in MODELS {
        mutants::activate(Some(mutant));
        let both = || {
            explore(model, Reads::Ordered);
            explore(model, Reads::Weak);
        };
        let outcome = catch_unwind(AssertUnwindSafe(both));
        mutants::activate(None);
        if let Err(failure) = outcome {
            let text = failure
                .downcast_ref::<String>()
                .map(String::as_str)
                .or(failure.downcast_ref::<&str>().copied())
                .unwrap_or("?");
            let line = text.lines().next().unwrap_or("?");
            say(&format!(
                "loom: {mutant:?} is caught by {}: {line:.100}",
                model.name
            ));
            return true;
        }
    }
    false
}
