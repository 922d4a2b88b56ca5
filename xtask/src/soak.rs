//! The soak: machines of every kind, brought to an end at random, each run judged and, where the machine stays, audited.

mod album;
mod judge;
mod plan;
mod random;
mod tally;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

pub use self::album::Album;
#[cfg(test)]
pub use self::album::page_of_one;
use self::judge::Judgement;
use self::plan::Plan;
use self::tally::page_table;
pub use self::tally::{Tally, histograms, table};
use crate::arch::Arch;
use crate::audit::Honesty;
use crate::kernel::{self, Flavour, Kernel};
use crate::out::tell;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::spec::{Boot, Spec};
use crate::vm::{self, Outcome, Watch, machine};

/// Wall time of a run, on a host that is busy with others.
const TIMEOUT: Duration = Duration::from_secs(90);
/// Between two lines that say how far it is.
const NEWS: Duration = Duration::from_secs(60);

/// What to do, and for how long.
#[derive(Clone, Debug)]
pub struct Soak {
    pub archs: Vec<Arch>,
    /// Of the first run; each further one has the next number.
    pub seed: u64,
    pub runs: Option<u64>,
    pub time: Option<Duration>,
    pub jobs: NonZero<usize>,
    /// Show what each run is told, and its console.
    pub verbose: bool,
}

/// What all runs came to, by architecture.
pub type Tallies = BTreeMap<Arch, Tally>;

impl Soak {
    /// Runs until the time is over or the runs are.
    ///
    /// # Errors
    /// When a kernel does not build.
    pub fn run(&self) -> Result<(Tallies, Album)> {
        let kernels = self.kernels()?;
        let tallies = Mutex::new(self.archs.iter().map(|arch| (*arch, Tally::default())).collect());
        let album = Mutex::new(Album::default());
        let (started, next, broken) = (Instant::now(), AtomicU64::new(0), AtomicBool::new(false));
        let over = |n: u64| {
            self.runs.is_some_and(|runs| n >= runs) || self.time.is_some_and(|time| started.elapsed() >= time)
        };
        let news = Mutex::new(Instant::now());
        let work = || {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if over(n) || broken.load(Ordering::Relaxed) {
                    return;
                }
                let seed = self.seed.wrapping_add(n);
                let plan = Plan::new(seed, &self.archs);
                if let Err(error) = self.one(&plan, &kernels, &tallies, &album) {
                    // QEMU itself does not start: no run will.
                    tell!("seed {seed}: {error:#}");
                    broken.store(true, Ordering::Relaxed);
                }
                if is_due(&news) {
                    tell!("{}", tally::line(&lock(&tallies), started.elapsed()));
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs.get() {
                scope.spawn(work);
            }
        });
        anyhow::ensure!(!broken.into_inner(), "a machine did not start");
        let mut tallies = tallies.into_inner().unwrap_or_else(PoisonError::into_inner);
        tallies
            .values_mut()
            .for_each(|tally| tally.wall = started.elapsed());
        let album = album.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((tallies, album))
    }

    fn kernels(&self) -> Result<BTreeMap<Flavour, Kernel>> {
        let flavours = self
            .archs
            .iter()
            .flat_map(|arch| [false, true].map(|smp| plan::flavour(*arch, smp)));
        flavours
            .map(|flavour| Ok((flavour, kernel::build(flavour)?)))
            .collect()
    }

    fn one(
        &self,
        plan: &Plan,
        kernels: &BTreeMap<Flavour, Kernel>,
        tallies: &Mutex<Tallies>,
        album: &Mutex<Album>,
    ) -> Result<()> {
        let outcome = boot(plan, &kernels[&plan.flavour()], self.verbose)?;
        let judgement = judge::judge(plan, &outcome);
        if self.verbose {
            tell!("seed {}: {plan}\n{judgement:?}", plan.seed);
        }
        if let Some(wrong) = &judgement.wrong {
            tell!("{}", complaint(plan, wrong, &outcome));
        }
        count(tallies, plan, &judgement);
        lock(album).add(plan, &outcome, &judgement);
        Ok(())
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is time to say how far it is. Only one of the workers does.
fn is_due(news: &Mutex<Instant>) -> bool {
    let mut last = lock(news);
    let due = last.elapsed() >= NEWS;
    if due {
        *last = Instant::now();
    }
    due
}

fn count(tallies: &Mutex<Tallies>, plan: &Plan, judgement: &Judgement) {
    lock(tallies).entry(plan.arch).or_default().add(judgement);
}

fn boot(plan: &Plan, kernel: &Kernel, verbose: bool) -> Result<Outcome> {
    let spec = Spec {
        kernel,
        boot: Boot::of(plan.arch)[0],
        machine: machine::merge(plan.arch, plan.machine),
        cpu: plan.arch.default_cpu().to_owned(),
        cpus: plan.cpus,
        topology: String::new(),
        memory: "256".into(),
        append: plan.append(),
        initrd: None,
        disk: None,
        gdb: None,
        counting: None,
        tables: None,
        extra: Vec::new(),
    };
    let watch = Watch {
        show: if verbose { Show::Error } else { Show::Hidden },
        input: Input::None,
        timeout: Some(TIMEOUT),
        after_ready: None,
        audit: plan.stays.then_some(Honesty::Honest),
        resets: 0,
    };
    vm::run(&spec, watch)
}

fn complaint(plan: &Plan, wrong: &str, outcome: &Outcome) -> String {
    /// Of the console.
    const LINES: usize = 40;
    let lines: Vec<&str> = outcome.text.lines().collect();
    let tail = lines[lines.len().saturating_sub(LINES)..].join("\n    ");
    format!(
        "FAIL  {plan}\n    {wrong}\n    {tail}\n  again: cargo xtask soak --arch {} --seed {} --runs 1",
        plan.arch, plan.seed
    )
}
