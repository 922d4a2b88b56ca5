//! `cargo xtask scenario`: failures on purpose.

mod short;
#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::thread;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

pub use self::short::short;
use crate::arch::Arch;
use crate::audit::Extent;
use crate::exit::{Exit, Refused};
use crate::needs::{self, Install, Need};
use crate::out::{say, tell};
use crate::report::Out;
use crate::scenario::catalogue::{self, Host, Scenario};
use crate::scenario::{self, Play, Played, page, report};
use crate::vm::spec::Boot;
use crate::{out, paths};

/// Stages failures of the catalogue on the real kernel, and judges what it makes of them.
///
/// What no machine of QEMU's can be made to do is run on the host: in the simulator, by a model checker, or as a unit
/// test. docs/scenarios.md says which and why. Without a name all scenarios are played.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask scenario --list
  cargo xtask scenario panic_on_starting_2cpu --arch i386
  cargo xtask scenario 13 --arch x86_64 --repeat 50      by number, with seeds 1 to 50
  cargo xtask scenario reboot_then_crash/in_the_wait     one way to stage it
  cargo xtask scenario resync_skipped --arch i386 --up   on a kernel for one CPU
  cargo xtask scenario 40 --on loom                      in the model checker
  cargo xtask scenario 1 --mutant count                  a kernel with a known bug: must fail")]
pub struct Verb {
    /// Names or numbers, or name/way.
    names: Vec<String>,
    /// Only this architecture; given more than once, these.
    #[arg(long)]
    arch: Vec<Arch>,
    /// Only ways for a kernel for one CPU.
    #[arg(long)]
    up: bool,
    /// From a disk, by firmware with UEFI.
    #[arg(long)]
    efi: bool,
    /// Only ways for a kernel for many CPUs, with another number of them than the scenario's own. What it expects of the CPUs
    /// that it names stays.
    #[arg(long, value_name = "N", conflicts_with = "up", value_parser = clap::value_parser!(u32).range(1..=255))]
    smp: Option<u32>,
    /// Where skews and orders come from; raised by one with each repetition.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How often each is played.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// Where to run; given more than once, all of these [default: qemu, sim and unit, and loom and shuttle where there is
    /// nothing else]
    #[arg(long, value_enum, value_name = "PLACE")]
    on: Vec<Place>,
    /// Play it on a kernel that is wrong in this way; what it does must be found out.
    #[arg(long, value_enum, value_name = "NAME")]
    mutant: Option<Mutant>,
    /// Print the catalogue instead.
    #[arg(long)]
    list: bool,
    /// Renew the catalogue in docs/scenarios.md instead.
    #[arg(long)]
    page: bool,
    #[command(flatten)]
    report: Out,
    /// Print JSON to standard output.
    #[arg(long)]
    json: bool,
    /// How many small virtual machines run at once [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
}

/// Where a scenario is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Place {
    Qemu,
    Sim,
    Unit,
    Loom,
    Shuttle,
}

/// A kernel that is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mutant {
    /// Asks nobody if no more than one CPU is online.
    Count,
    /// Loses every signal.
    LostSignals,
    /// Saves no registers.
    NoRegisters,
    /// Its CPUs say that they stand still, and run on.
    Liar,
    /// What comes after it overwrites the park page, too, where a stage overwrites memory.
    ParkPage,
}

impl Mutant {
    const fn faults(self) -> &'static str {
        match self {
            Self::Count => "stop*:count",
            Self::LostSignals => "send*:skip",
            Self::NoRegisters => "save-regs*:skip",
            Self::Liar => "park*:deaf",
            Self::ParkPage => "",
        }
    }
}

impl Mutant {
    /// Makes `play` one of this mutant's.
    fn inflict(self, play: &mut Play) {
        play.mutant = self.faults();
        if self == Self::ParkPage {
            play.stage.overwrite = play.stage.overwrite.and(Some(Extent::Everything));
        }
    }
}

impl Place {
    const fn of(host: Host) -> Self {
        match host {
            Host::Loom(_) => Self::Loom,
            Host::Shuttle(_) => Self::Shuttle,
            Host::Sim(_) => Self::Sim,
            Host::Unit(..) => Self::Unit,
        }
    }
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing, does not build, or no scenario is meant.
    pub fn run(self, install: Install) -> Result<Exit> {
        if self.page {
            page::write()?;
            return Ok(Exit::Pass);
        }
        let scenarios = self.chosen()?;
        if self.list {
            self.print(&scenarios);
            return Ok(Exit::Pass);
        }
        let (plays, tests) = (self.plays(&scenarios), self.tests(&scenarios));
        let (plays, left_out) = playable(plays, self.efi);
        for (play, why) in &left_out {
            tell!("left out with --efi: {}: {why}", play.name());
        }
        if plays.is_empty() && tests.is_empty() {
            return Err(Refused::usage(match left_out.is_empty() {
                true => "nothing of that is tried there; --list says what is",
                false => "with --efi nothing of that is left",
            }));
        }
        self.report.prepare()?;
        let all = execute(plays, tests, self.jobs, install, self.json)?;
        self.report.write(|| report::page(&all))?;
        if self.json {
            out::data(&format!("{:#}", report::to_json(&all)))?;
        }
        let good = all.iter().all(|played| played.wrong.is_none());
        Ok(if good { Exit::Pass } else { Exit::Failed })
    }

    /// The scenarios that are meant, with only those ways of each that are.
    fn chosen(&self) -> Result<Vec<Scenario>> {
        let mut all = catalogue::all();
        if let Some(unknown) = self
            .names
            .iter()
            .find(|name| !all.iter().any(|one| is_meant(one, name)))
        {
            return Err(Refused::usage(format!(
                "{unknown}: no such scenario; `cargo xtask scenario --list` names them all"
            )));
        }
        all.retain(|one| self.names.is_empty() || self.names.iter().any(|name| is_meant(one, name)));
        for scenario in &mut all {
            let (number, name) = (scenario.number, scenario.name);
            let ways: Vec<&str> = self
                .names
                .iter()
                .filter(|text| names(number, name, base(text)))
                .filter_map(|text| text.split_once('/'))
                .map(|(_, way)| way)
                .collect();
            scenario
                .stages
                .retain(|stage| ways.is_empty() || ways.contains(&stage.label));
        }
        Ok(all)
    }

    fn plays(&self, scenarios: &[Scenario]) -> Vec<Play> {
        if !self.on.is_empty() && !self.on.contains(&Place::Qemu) {
            return Vec::new();
        }
        let archs = if self.arch.is_empty() {
            Arch::ALL.to_vec()
        } else {
            self.arch.clone()
        };
        let mut plays = scenario::plays(scenarios, &archs, self.seed, self.repeat);
        plays.retain(|play| !(self.up && play.stage.smp || self.smp.is_some() && !play.stage.smp));
        for play in &mut plays {
            self.mutant.into_iter().for_each(|mutant| mutant.inflict(play));
            play.stage.cpus = self.smp.unwrap_or(play.stage.cpus);
            play.stage.boot = self.efi.then_some(Boot::Efi).or(play.stage.boot);
        }
        plays
    }

    fn tests(&self, scenarios: &[Scenario]) -> Vec<(u8, Host)> {
        let of_machine = !self.arch.is_empty()
            || self.smp.is_some()
            || self.up
            || self.efi
            || self.repeat > 1
            || self.mutant.is_some();
        let wanted = |scenario: &Scenario, host: Host| match (&self.on[..], Place::of(host)) {
            // What was said of the machine is not about tests of the host, unless there is nothing else.
            ([], _) if of_machine && !scenario.stages.is_empty() => false,
            ([], Place::Loom | Place::Shuttle) => !has_quick(scenario),
            ([], _) => true,
            (on, place) => on.contains(&place),
        };
        let tests = scenarios.iter().flat_map(|scenario| {
            let hosts = scenario.host.iter().filter(|host| wanted(scenario, **host));
            hosts.map(|host| (scenario.number, *host))
        });
        tests.collect()
    }

    fn print(&self, scenarios: &[Scenario]) {
        if self.json {
            let all: Vec<_> = scenarios.iter().map(entry).collect();
            say!("{:#}", json!(all));
            return;
        }
        for scenario in scenarios {
            say!(
                "{:>2} {:<32} {}",
                scenario.number,
                scenario.name,
                places(scenario).join(" ")
            );
        }
    }
}

/// The plays that can be played, and those that cannot on a machine with UEFI, if it is one, each with the reason.
fn playable(plays: Vec<Play>, efi: bool) -> (Vec<Play>, Vec<(Play, &'static str)>) {
    let (mut can, mut cannot) = (Vec::new(), Vec::new());
    for play in plays {
        match play.not_by_efi().filter(|_| efi) {
            Some(why) => cannot.push((play, why)),
            None => can.push(play),
        }
    }
    (can, cannot)
}

/// Whether something else than a model checker tries it.
fn has_quick(scenario: &Scenario) -> bool {
    let quick = |host: &Host| matches!(host, Host::Sim(_) | Host::Unit(..));
    !scenario.stages.is_empty() || scenario.host.iter().any(quick)
}

fn base(text: &str) -> &str {
    text.split('/').next().unwrap_or(text)
}

fn names(number: u8, name: &str, text: &str) -> bool {
    name == text || text.parse() == Ok(number)
}

/// Whether `text` means `scenario`, or a way of it.
fn is_meant(scenario: &Scenario, text: &str) -> bool {
    let way = text.split_once('/').map(|(_, way)| way);
    names(scenario.number, scenario.name, base(text))
        && way.is_none_or(|way| scenario.stages.iter().any(|stage| stage.label == way))
}

/// Where it is tried: `qemu[x86_64,i386,aarch64]`, `sim` ...
fn places(scenario: &Scenario) -> Vec<String> {
    let mut places = Vec::new();
    let staged = |arch: &&Arch| scenario.stages.iter().any(|stage| stage.archs.contains(arch));
    let archs: Vec<&str> = Arch::ALL.iter().filter(staged).map(|arch| arch.name()).collect();
    if !archs.is_empty() {
        places.push(format!("qemu[{}]", archs.join(",")));
    }
    for host in &scenario.host {
        if !places.iter().any(|place| place == host.place()) {
            places.push(host.place().to_owned());
        }
    }
    places
}

fn entry(scenario: &Scenario) -> serde_json::Value {
    json!({
        "number": scenario.number,
        "name": scenario.name,
        "story": scenario.story,
        "why": scenario.why,
        "where": places(scenario),
        "ways": scenario.stages.iter().map(|stage| stage.label).collect::<Vec<_>>(),
        "tests": scenario.host.iter().map(|host| host.name()).collect::<Vec<_>>(),
    })
}

/// Plays, tells of each in a line, and writes the report.
///
/// # Errors
/// When something is missing or does not build.
pub fn execute(
    plays: Vec<Play>,
    tests: Vec<(u8, Host)>,
    jobs: Option<NonZero<usize>>,
    install: Install,
    quiet: bool,
) -> Result<Vec<Played>> {
    if !plays.is_empty() {
        let mut needs = vec![Need::KernelRust, Need::Linker];
        let used = |arch: &Arch| plays.iter().any(|play| play.arch == *arch);
        needs.extend(Arch::ALL.into_iter().filter(used).map(Need::Qemu));
        for need in plays.iter().filter_map(|play| play.stage.boot?.need(play.arch)) {
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        needs::ensure(&needs, install)?;
    }
    let jobs = jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    let all = scenario::run(plays, tests, jobs, quiet)?;
    let written = report::write(&all)?;
    if !quiet {
        let failed = all.iter().filter(|played| played.wrong.is_some()).count();
        say!(
            "{} passed, {failed} failed; {}",
            all.len() - failed,
            paths::shown(&written)
        );
    }
    Ok(all)
}
