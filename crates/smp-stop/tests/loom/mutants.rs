//! Negative controls: each seeded fault is caught by some model, within the bounds that a plain test run goes to.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use smp_stop::checked::Reads;
use smp_stop::mutants::{self, Mutant};

use crate::models::{MODELS, Model};
use crate::{Depth, bound, explore, say};

/// Faults that no order of events shows on a machine whose hardware has no view and whose clock stands still: they cost
/// time, or leave a CPU on. The simulator sees them.
const NOT_HERE: [Mutant; 3] = [Mutant::OwnerNeverLooks, Mutant::DeputyLeftOn, Mutant::OffUnseen];

#[test]
fn every_mutant_is_caught() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    say("loom: mutant               caught by          reads   preemptions after  how");
    let survivors: Vec<Mutant> = Mutant::ALL
        .into_iter()
        .filter(|mutant| !NOT_HERE.contains(mutant))
        .filter(|mutant| !is_caught(*mutant))
        .collect();
    std::panic::set_hook(hook);
    assert!(survivors.is_empty(), "not caught: {survivors:?}");
}

/// All models with few preemptions before any with more: most faults need none or one.
fn is_caught(mutant: Mutant) -> bool {
    for preemptions in 0..=MOST {
        for (model, reads) in all().filter(|(model, reads)| bound(model, Depth::Quick, *reads) >= preemptions)
        {
            if let Some((executions, how)) = catches(model, reads, preemptions, mutant) {
                say(&format!(
                    "loom: {:20} {:18} {:7} {preemptions:>11} {executions:>5}  {how:.60}",
                    format!("{mutant:?}"),
                    model.name,
                    format!("{reads:?}").to_lowercase(),
                ));
                return true;
            }
        }
    }
    false
}

/// No quick bound is higher.
const MOST: usize = 4;

fn all() -> impl Iterator<Item = (&'static Model, Reads)> {
    let with = |reads| MODELS.iter().map(move |model| (model, reads));
    with(Reads::Ordered).chain(with(Reads::Weak))
}

/// After how many executions, and how.
fn catches(model: &Model, reads: Reads, preemptions: usize, mutant: Mutant) -> Option<(usize, String)> {
    let executions = Arc::default();
    mutants::activate(Some(mutant));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        explore(model, reads, preemptions, &executions)
    }));
    mutants::activate(None);
    let failure = outcome.err()?;
    Some((executions.load(Ordering::Relaxed), first_line(&*failure)))
}

fn first_line(failure: &(dyn Any + Send)) -> String {
    let text = failure
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(failure.downcast_ref::<&str>().copied())
        .unwrap_or("?");
    let text = text.strip_prefix("assertion ").unwrap_or(text);
    text.lines().next().unwrap_or("?").to_owned()
}
