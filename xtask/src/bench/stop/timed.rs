//! Stops on the host's own time: how long the guest's clock says they took.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{Case, Load};
use crate::arch::Arch;
use crate::audit::{Audit, Honesty};
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::record::last;
use crate::vm::spec::Spec;
use crate::vm::{self, Watch};

/// All runs of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Timed {
    pub arch: Arch,
    pub cpus: u32,
    pub load: Load,
    /// From the beginning of the stop until its owner knew that all stood: each run's, in rising order.
    pub took_ns: Vec<u64>,
    /// From the beginning of the stop to a CPU's answer: all of all runs, in rising order.
    pub answered_ns: Vec<u64>,
    /// Runs that did not end in a full, audited stop, and why.
    pub failures: Vec<String>,
}

/// One run.
pub(super) struct Taken {
    took_ns: u64,
    answered_ns: Vec<u64>,
}

pub(super) fn run(case: &Case<'_>) -> Result<Taken> {
    let append = format!("panic=0 \"run={}panic\"", case.load.commands(case.cpus));
    let spec = Spec::usual(case.kernel, case.cpus, append);
    let watch = Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(Duration::from_secs(60 + 2 * u64::from(case.cpus))),
        after_ready: None,
        audit: Some(Honesty::Honest),
        resets: 0,
    };
    let outcome = vm::run(&spec, watch)?;
    let why = || format!("{} {}", outcome.end.describe(), outcome.detail);
    ensure!(outcome.end == End::Panic, "{}", why().trim());
    let audit = outcome.audit.as_ref().context("there was no audit")?;
    let took = last(&outcome.records, "stop").and_then(|stop| stop.number("took_ns"));
    Ok(Taken {
        took_ns: took.context("no @stop line")?,
        answered_ns: answers(audit),
    })
}

fn answers(audit: &Audit) -> Vec<u64> {
    audit.lines.iter().filter_map(|line| line.answered_ns).collect()
}

impl Timed {
    pub(super) fn of(case: &Case<'_>, runs: Vec<Result<Taken>>) -> Self {
        let mut timed = Self {
            arch: case.arch(),
            cpus: case.cpus,
            load: case.load,
            took_ns: Vec::new(),
            answered_ns: Vec::new(),
            failures: Vec::new(),
        };
        for run in runs {
            match run {
                Ok(taken) => {
                    timed.took_ns.push(taken.took_ns);
                    timed.answered_ns.extend(taken.answered_ns);
                }
                Err(error) => timed.failures.push(format!("{error:#}")),
            }
        }
        timed.took_ns.sort_unstable();
        timed.answered_ns.sort_unstable();
        timed
    }

    /// What went wrong, in a sentence.
    pub fn complaint(&self) -> String {
        let why = self
            .failures
            .first()
            .map_or("nothing was measured", String::as_str);
        format!(
            "{} with {} CPUs, {}: {why}",
            self.arch,
            self.cpus,
            self.load.name()
        )
    }
}

/// The value below which `percent` of `sorted` lie; 0 if there are none.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_list() {
        let list: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&list, 0), 1);
        assert_eq!(percentile(&list, 50), 51);
        assert_eq!(percentile(&list, 100), 100);
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(percentile(&[7], 90), 7);
    }
}
