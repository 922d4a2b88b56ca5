//! `cargo xtask soak`: stops at random, until somebody is satisfied.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::arch::Arch;
use crate::exit::Exit;
use crate::needs::{self, Install, Need};
use crate::out;
use crate::out::{say, tell};
use crate::report::Out;
use crate::soak::{self, Tally};

/// Boots machines at random, makes them busy, deaf, smaller and larger, and ends them at random.
///
/// Panics, faults, crashes, reboots, power-offs and halts, from any CPU, from several at once. Each run is judged by what it
/// was told, and audited where the machine stays. A run is all in its seed; a failure prints the command that repeats it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask soak --minutes 5
  cargo xtask soak --arch aarch64 --runs 1000
  cargo xtask soak --arch i386 --seed 4711 --runs 1 --verbose")]
pub struct Soak {
    /// How long [default: 5, unless --runs is given]
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// How many runs.
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Only this architecture.
    #[arg(long)]
    arch: Option<Arch>,
    /// The first run's seed; the next has the next number [default: from the clock]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many machines run at once [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    #[command(flatten)]
    report: Out,
    /// Show what each run is told, and its console.
    #[arg(long)]
    verbose: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Soak {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing, or does not build or start.
    pub fn run(self, install: Install) -> Result<Exit> {
        self.report.prepare()?;
        let archs = self.arch.map_or_else(|| Arch::ALL.to_vec(), |arch| vec![arch]);
        let mut needs = vec![Need::KernelRust, Need::Linker];
        needs.extend(archs.iter().copied().map(Need::Qemu));
        needs::ensure(&needs, install)?;
        let seed = self.seed.unwrap_or_else(from_clock);
        let minutes = self.minutes.or(self.runs.is_none().then_some(5));
        let soak = soak::Soak {
            archs,
            seed,
            runs: self.runs,
            time: minutes.map(|minutes| Duration::from_secs(60 * minutes)),
            jobs: self
                .jobs
                .or_else(|| thread::available_parallelism().ok())
                .unwrap_or(NonZero::<usize>::MIN),
            verbose: self.verbose,
        };
        tell!("seed {seed}");
        let (tallies, album) = soak.run()?;
        self.report.write(|| album.page(seed, &tallies))?;
        if self.json {
            out::data(&json!({ "seed": seed, "tallies": tallies }).to_string())?;
        } else {
            say!("{}\n{}", soak::table(&tallies), soak::histograms(&tallies));
        }
        let failures: u64 = tallies.values().map(|tally: &Tally| tally.failures).sum();
        Ok(if failures == 0 { Exit::Pass } else { Exit::Failed })
    }
}

fn from_clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // So short that it can be typed.
    since.map_or(1, |since| since.as_secs() % 1_000_000 * 1000)
}
