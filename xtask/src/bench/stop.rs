//! Figures of a stop: how long, in instructions and in the guest's nanoseconds.

mod counted;
mod document;
pub mod histogram;
mod timed;

use std::path::Path;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use serde::Serialize;

pub use self::counted::Counted;
pub use self::document::{Figures, replace};
pub use self::timed::Timed;
use crate::arch::Arch;
use crate::kernel::Kernel;
use crate::matrix::schedule;
use crate::progress;

/// What the CPUs do that are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// They sleep.
    Idle,
    /// They spin.
    Busy,
    /// They spin with their interrupts off.
    #[value(name = "irqsoff")]
    IrqsOff,
}

impl Load {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Idle, Self::Busy, Self::IrqsOff];

    /// The monitor's commands, up to the panic. CPU 0 keeps to the monitor: beside a spinning thread that would wait for its turn.
    fn commands(self, cpus: u32) -> String {
        match self {
            Self::Idle => String::new(),
            // Time for the threads to be running.
            Self::Busy => format!("busy 1-{};sleep 1;", cpus - 1),
            Self::IrqsOff => "irqsoff all;".into(),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::IrqsOff => "interrupts off",
        }
    }
}

/// One machine to be stopped.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub kernel: &'a Kernel,
    pub cpus: u32,
    pub load: Load,
}

impl Case<'_> {
    const fn arch(&self) -> Arch {
        self.kernel.flavour.arch
    }

    /// How often it is stopped on the host's own time, if a usual machine is `runs` times, and one whose times are drawn
    /// `histogram` times. A run with 64 CPUs takes seconds: five must do.
    pub fn runs(&self, runs: u32, histogram: u32) -> u32 {
        match (self.cpus, self.load) {
            (DRAWN, Load::Busy) => histogram,
            (64.., _) => runs.min(5),
            _ => runs,
        }
    }
}

/// How many CPUs a machine has whose times are drawn, when they are busy.
pub const DRAWN: u32 = 8;

/// How many CPUs are tried.
pub const fn sizes(arch: Arch) -> [u32; 5] {
    [2, 4, 8, 64, if arch.is_x86() { 255 } else { 512 }]
}

/// Stops each of `cases` once and counts instructions, `jobs` at a time.
///
/// # Errors
/// The first run that did not end in a full stop.
pub fn count(cases: &[Case<'_>], jobs: usize, plugin: &Path) -> Result<Vec<Counted>> {
    let bar = progress::bar(cases.len() as u64);
    let counted = schedule::run(
        cases.to_vec(),
        jobs,
        |_| 1,
        |case| {
            let counted = counted::run(&case, plugin);
            bar.inc(1);
            counted
        },
    );
    bar.finish_and_clear();
    let mut counted = counted.into_iter().collect::<Result<Vec<_>>>()?;
    counted.sort_by_key(|one| (one.arch, one.load, one.cpus));
    Ok(counted)
}

/// Stops each of `cases` as often as `wanted` says on the host's own time, and audits each.
///
/// # Errors
/// When a case has no run that ended in a full stop.
pub fn time(cases: &[Case<'_>], wanted: impl Fn(&Case<'_>) -> u32, jobs: usize) -> Result<Vec<Timed>> {
    let repeated: Vec<(usize, Case<'_>)> = cases
        .iter()
        .enumerate()
        .flat_map(|(at, case)| (0..wanted(case)).map(move |_| (at, *case)))
        .collect();
    let bar = progress::bar(repeated.len() as u64);
    let weight = |(_, case): &(usize, Case<'_>)| (case.cpus as usize).div_ceil(16);
    let taken = schedule::run(repeated, jobs, weight, |(at, case)| {
        let taken = timed::run(&case);
        bar.inc(1);
        (at, taken)
    });
    bar.finish_and_clear();
    let mut taken: Vec<_> = taken;
    taken.sort_by_key(|(at, _)| *at);
    let mut all = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let mine = taken
            .extract_if(.., |(whose, _)| *whose == at)
            .map(|(_, run)| run);
        let timed = Timed::of(case, mine.collect());
        ensure!(!timed.took_ns.is_empty(), "{}", timed.complaint());
        all.push(timed);
    }
    all.sort_by_key(|one| (one.arch, one.load, one.cpus));
    Ok(all)
}
