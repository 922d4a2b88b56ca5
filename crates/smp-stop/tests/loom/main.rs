//! The engine under loom: every order of events on small machines, up to a stated number of preemptions.
//!
//! `cargo test -p smp-stop --release --features loom --test loom` goes as far as fits into a minute or two, and sees that each
//! seeded fault is caught; with `-- --ignored` it goes as far as each model is meant to go, which takes half an hour. `MODEL=NAME`
//! runs that model alone.

mod arrivals;
#[path = "../model/audit.rs"]
mod audit;
#[path = "../model/machine.rs"]
mod machine;
mod models;
mod mutants;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use models::{MODELS, Model};
use smp_stop::checked::{self, Reads};

/// CPUs.
const N: usize = 3;

/// A wait is a switch already: it looks at a word.
const fn relax() {}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Quick,
    Full,
}

/// Most preemptions.
fn bound(model: &Model, depth: Depth, reads: Reads) -> usize {
    let bounds = match depth {
        Depth::Quick => model.quick,
        Depth::Full => model.full,
    };
    match reads {
        Reads::Ordered => bounds.ordered,
        Reads::Weak => bounds.weak,
    }
}

/// Runs a model and counts its executions, which are all there are within the bound.
fn explore(model: &Model, reads: Reads, bound: usize, executions: &Arc<AtomicUsize>) {
    checked::choose(reads);
    let counter = executions.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(bound);
    builder.max_branches = 10_000;
    // Never by the environment: what ends early has not shown anything.
    (builder.max_duration, builder.max_permutations) = (None, None);
    let run = model.run;
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        run();
    });
}

/// Past the test harness, which swallows the output of tests that pass.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn models_hold(depth: Depth) {
    let (start, mut total) = (Instant::now(), 0);
    let wanted = std::env::var("MODEL").ok();
    let is_wanted = |model: &&Model| wanted.as_ref().is_none_or(|name| name == model.name);
    for model in MODELS.iter().filter(is_wanted) {
        for reads in [Reads::Ordered, Reads::Weak] {
            let (start, executions) = (Instant::now(), Arc::default());
            let bound = bound(model, depth, reads);
            explore(model, reads, bound, &executions);
            let executions = executions.load(Ordering::Relaxed);
            total += executions;
            say(&format!(
                "loom: {:18} {:7} reads, at most {bound} preemptions: {executions:>9} executions, {:.1} s",
                model.name,
                format!("{reads:?}").to_lowercase(),
                start.elapsed().as_secs_f32()
            ));
        }
    }
    say(&format!(
        "loom: models of {N} CPUs hold, {total} executions in all, {:.0} s",
        start.elapsed().as_secs_f32()
    ));
}

#[test]
fn models_hold_quickly() {
    models_hold(Depth::Quick);
}

#[test]
#[ignore = "half an hour"]
fn models_hold_fully() {
    models_hold(Depth::Full);
}
