//! Staged failures: the catalogue, how each is played on the real kernel or on the host, and what must be seen.

pub mod account;
pub mod catalogue;
pub mod expect;
pub mod host;
pub mod judge;
pub mod page;
pub mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Result;

use self::catalogue::{Host, Scenario, Stage};
use crate::arch::Arch;
use crate::audit::Honesty;
use crate::kernel::{self, Flavour, Kernel};
use crate::matrix::schedule;
use crate::progress;
use crate::report::Story;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::spec::{Boot, Spec};
use crate::vm::{self, Outcome, Watch, machine};

/// Wall time that a run may take, on a machine that is busy with others.
const TIMEOUT: Duration = Duration::from_secs(240);

/// The kernel's variable that holds the faults to stage before the command line is read.
const EARLY: &str = "INJECT_EARLY";

/// A scenario to be played once on the kernel.
#[derive(Clone, Debug)]
pub struct Play {
    pub number: u8,
    pub scenario: &'static str,
    pub stage: Stage,
    pub arch: Arch,
    pub seed: u64,
    /// More than the stage's own faults: a kernel that is wrong on purpose.
    pub mutant: &'static str,
    /// Whether what it does must be found out: then that is what passes.
    pub control: bool,
}

/// One that was played, or a test that was run.
#[derive(Debug)]
pub struct Played {
    pub name: String,
    pub number: u8,
    /// What repeats it.
    pub replay: String,
    pub seed: Option<u64>,
    /// What was wrong; nothing if all was right.
    pub wrong: Option<String>,
    /// The console, or what the test said.
    pub text: String,
    pub wall: Duration,
    /// How the machine ended, in words.
    pub end: &'static str,
    pub story: Option<Story>,
}

impl Play {
    /// `13 reboot_then_crash/in_the_wait x86_64 smp-4`.
    pub fn name(&self) -> String {
        let label = match self.stage.label {
            "" => String::new(),
            label => format!("/{label}"),
        };
        let machine = self
            .stage
            .machine
            .map_or(String::new(), |machine| format!(" {machine}"));
        let build = self.flavour().build();
        let control = if self.control { " control" } else { "" };
        format!(
            "{}{label} {} {build}-{}{machine}{control}",
            self.scenario, self.arch, self.stage.cpus
        )
    }

    fn replay(&self) -> String {
        let label = match self.stage.label {
            "" => String::new(),
            label => format!("/{label}"),
        };
        format!(
            "cargo xtask scenario {}{label} --arch {} --seed {}",
            self.scenario, self.arch, self.seed
        )
    }

    /// Why it cannot be played on a machine with UEFI.
    pub fn not_by_efi(&self) -> Option<&'static str> {
        let stage = &self.stage;
        // OVMF leaves them in a loop of its own, where they run.
        let unstarted = self.arch.is_x86() && stage.cpus > 1 && (stage.expect.alone || !stage.smp);
        let stays = stage.panic == 0 && !matches!(stage.expect.end, End::Reboot | End::Poweroff);
        let looping = unstarted && stays;
        let looping =
            looping.then_some("firmware lets CPUs that are never started run, and the audit sees them");
        stage.not_by_efi.or(looping)
    }

    const fn flavour(&self) -> Flavour {
        Flavour {
            arch: self.arch,
            smp: self.stage.smp,
            release: false,
            faults: true,
        }
    }

    /// The kernel's command line.
    fn append(&self) -> String {
        let stage = &self.stage;
        let faults: Vec<&str> = [stage.inject, self.mutant]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        let mut words = vec![
            format!("panic={}", stage.panic),
            format!("inject-seed={}", self.seed),
        ];
        if stage.smp && stage.expect.names_nobody() {
            // Several machines share the host: a CPU whose thread does not run for a while is no finding.
            words.push("stop_grace=1000".to_owned());
        }
        if !stage.words.is_empty() {
            words.push(stage.words.to_owned());
        }
        if !faults.is_empty() {
            words.push(format!("inject={}", faults.join(",")));
        }
        if !stage.run.is_empty() {
            words.push(format!("\"run={}\"", stage.run));
        }
        words.join(" ")
    }

    fn spec<'a>(&self, kernel: &'a Kernel) -> Spec<'a> {
        Spec {
            kernel,
            boot: self.stage.boot.unwrap_or(Boot::of(self.arch)[0]),
            machine: machine::merge(self.arch, self.stage.machine),
            cpu: self.arch.default_cpu().to_owned(),
            cpus: self.stage.cpus,
            topology: String::new(),
            memory: self.memory().into(),
            append: self.append(),
            initrd: None,
            disk: None,
            gdb: None,
            counting: None,
            tables: None,
            extra: Vec::new(),
        }
    }

    /// QEMU's `-m`. Where all of it is overwritten, little: but UEFI needs more.
    fn memory(&self) -> &'static str {
        match (self.stage.overwrite, self.stage.boot) {
            (Some(_), boot) if boot != Some(Boot::Efi) => "64",
            _ => "256",
        }
    }

    fn judge(&self, outcome: &Outcome) -> Result<(), String> {
        let cpus = if self.stage.smp { self.stage.cpus } else { 1 };
        judge::check(&self.stage.expect, cpus, outcome)
    }
}

/// All plays of `scenarios` on `archs`, `repeat` times with rising seeds.
pub fn plays(scenarios: &[Scenario], archs: &[Arch], seed: u64, repeat: u64) -> Vec<Play> {
    let mut plays = Vec::new();
    for scenario in scenarios {
        for arch in archs {
            let stages = scenario.stages.iter().filter(|stage| stage.archs.contains(arch));
            for stage in stages {
                plays.extend((0..repeat).map(|n| Play {
                    number: scenario.number,
                    scenario: scenario.name,
                    stage: stage.clone(),
                    arch: *arch,
                    seed: seed.wrapping_add(n),
                    mutant: "",
                    control: false,
                }));
            }
        }
    }
    plays
}

/// Builds what `plays` need and plays them, `jobs` small ones at a time, and runs `tests`. Tells of each in a line: on
/// standard error if `quiet`.
///
/// # Errors
/// When a kernel does not build.
pub fn run(plays: Vec<Play>, tests: Vec<(u8, Host)>, jobs: usize, quiet: bool) -> Result<Vec<Played>> {
    let kernels = build(&plays)?;
    let bar = progress::bar((plays.len() + tests.len()) as u64);
    let tell = |played: Played| {
        let line = report::line(&played);
        bar.suspend(|| {
            let _ = if quiet {
                writeln!(io::stderr().lock(), "{line}")
            } else {
                writeln!(io::stdout().lock(), "{line}")
            };
        });
        bar.inc(1);
        played
    };
    let weight = |play: &Play| (play.stage.cpus as usize).div_ceil(16);
    let mut all = schedule::run(plays, jobs, weight, |play| tell(boot(&play, &kernels)));
    all.extend(
        tests
            .into_iter()
            .map(|(number, test)| tell(host::run(number, test))),
    );
    bar.finish_and_clear();
    all.sort_by(|a, b| (a.number, &a.name, a.seed).cmp(&(b.number, &b.name, b.seed)));
    Ok(all)
}

fn build(plays: &[Play]) -> Result<BTreeMap<Flavour, Kernel>> {
    let flavours: BTreeSet<Flavour> = plays.iter().map(Play::flavour).collect();
    flavours
        .into_iter()
        .map(|flavour| Ok((flavour, kernel::build(flavour)?)))
        .collect()
}

fn boot(play: &Play, kernels: &BTreeMap<Flavour, Kernel>) -> Played {
    let started = Instant::now();
    let watch = Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(TIMEOUT),
        after_ready: None,
        audit: (play.stage.panic == 0)
            .then_some(play.stage.overwrite.map_or(Honesty::Honest, Honesty::Overwrite)),
        resets: 0,
    };
    let outcome = match play.stage.early {
        "" => vm::run(&play.spec(&kernels[&play.flavour()]), watch),
        early => kernel::patched(&kernels[&play.flavour()], EARLY, format!("{early}\0").as_bytes())
            .and_then(|kernel| vm::run(&play.spec(&kernel), watch)),
    };
    let (wrong, text, end, story) = match outcome {
        Ok(outcome) => {
            let wrong = play.judge(&outcome).err();
            (wrong, outcome.text, outcome.end.describe(), outcome.story)
        }
        Err(error) => (
            Some(format!("{error:#}")),
            String::new(),
            "QEMU did not start",
            None,
        ),
    };
    let wrong = match (play.control, wrong) {
        (false, wrong) => wrong,
        (true, Some(_)) => None,
        (true, None) => Some("a kernel that is wrong was not found out".into()),
    };
    Played {
        name: play.name(),
        number: play.number,
        replay: play.replay(),
        seed: Some(play.seed),
        wrong,
        text,
        wall: started.elapsed(),
        end,
        story,
    }
}
