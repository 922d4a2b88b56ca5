//! What the page of a soak shows: how long every stop took, and what the CPUs did in the runs one wants to look at.

use std::collections::BTreeMap;

use super::judge::Judgement;
use super::plan::Plan;
use super::{Tallies, page_table};
use crate::arch::Arch;
use crate::report::page::Values;
use crate::report::{Figure, Page, Run};
use crate::vm::Outcome;
use crate::vm::record::last;

/// Runs that went well are shown up to this number: the page must stay one that a browser likes.
const SAMPLES: usize = 24;
/// Those that failed, or named a CPU, up to this one.
const NOTABLE: usize = 100;

/// The runs of a soak.
#[derive(Debug, Default)]
pub struct Album {
    samples: Vec<Run>,
    notable: Vec<Run>,
    took: BTreeMap<Arch, Vec<u64>>,
}

impl Album {
    /// Takes a run in.
    pub(super) fn add(&mut self, plan: &Plan, outcome: &Outcome, judgement: &Judgement) {
        let took = last(&outcome.records, "stop").and_then(|stop| stop.number("took_ns"));
        self.took.entry(plan.arch).or_default().extend(took);
        let is_notable = judgement.wrong.is_some() || judgement.partial;
        let (list, most) = match is_notable {
            true => (&mut self.notable, NOTABLE),
            false => (&mut self.samples, SAMPLES),
        };
        if list.len() < most {
            let again = format!(
                "cargo xtask soak --arch {} --seed {} --runs 1",
                plan.arch, plan.seed
            );
            list.push(
                Run::of(plan.to_string(), Some(outcome), judgement.wrong.as_deref())
                    .again(again, Some(plan.seed)),
            );
        }
    }

    /// The page of the soak that began with `seed`.
    pub fn page(&self, seed: u64, tallies: &Tallies) -> Page {
        Page {
            runs: self.runs(),
            tables: vec![page_table(tallies)],
            figures: self.figures(),
            ..Page::new(format!("Standstill: a soak from seed {seed}"))
        }
    }

    /// The runs worth a look, the bad ones first.
    fn runs(&self) -> Vec<Run> {
        let failed = self.notable.iter().filter(|run| run.wrong.is_some());
        let partial = self.notable.iter().filter(|run| run.wrong.is_none());
        failed.chain(partial).chain(&self.samples).cloned().collect()
    }

    /// How long all stops took.
    fn figures(&self) -> Vec<Figure> {
        let series = self.took.iter().map(|(arch, took)| Values {
            name: arch.to_string(),
            values: took.clone(),
        });
        vec![Figure::Histogram {
            title: "All stops of the soak".into(),
            note: "from the beginning of a stop until its owner knew that all stood, every kind of machine"
                .into(),
            series: series.collect(),
        }]
    }
}

/// A soak of one run, which was wrong, for a look at its page.
#[cfg(test)]
pub fn page_of_one(seed: u64, outcome: &Outcome, wrong: &str) -> Page {
    let plan = Plan::new(seed, &Arch::ALL);
    let judgement = Judgement {
        wrong: Some(wrong.into()),
        ..Judgement::default()
    };
    let mut tallies = Tallies::new();
    tallies.entry(plan.arch).or_default().add(&judgement);
    let mut album = Album::default();
    album.add(&plan, outcome, &judgement);
    album.page(seed, &tallies)
}
