//! Counted stops: one instruction is one virtual nanosecond, so that a run is the same every time.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{Case, Load};
use crate::arch::Arch;
use crate::kernel::Kernel;
use crate::kernel::elf::Elf;
use crate::vm::console::Show;
use crate::vm::count::Counting;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::record::last;
use crate::vm::spec::Spec;
use crate::vm::{self, Outcome, Watch};

/// All CPUs share one thread of the host.
const PATIENCE: Duration = Duration::from_secs(900);

/// Hundreds of CPUs that spin take turns.
const TURN_US: u32 = 100;

/// One counted stop. Instructions are those of all CPUs together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    pub arch: Arch,
    pub cpus: u32,
    pub load: Load,
    /// From the first instruction of `panic!` to the stop's.
    pub request: u64,
    /// From there to the last CPU's arrival in its stop routine.
    pub arrival: u64,
    /// From the stop's first instruction until its owner knows that all stand, and is about to print.
    pub stop: u64,
    /// The same in virtual nanoseconds, waits included.
    pub took_ns: u64,
}

impl Counted {
    /// From the first instruction of `panic!` until its owner knows that all stand.
    pub const fn whole(&self) -> u64 {
        self.request + self.stop
    }
}

/// Names of marks.
const PANIC: &str = "panic";
const REQUEST: &str = "request";
const ARRIVAL: &str = "arrival";
const DONE: &str = "done";

pub(super) fn run(case: &Case<'_>, plugin: &Path) -> Result<Counted> {
    let arch = case.arch();
    let append = format!("panic=-1 \"run={}panic\"", case.load.commands(case.cpus));
    let spec = Spec {
        counting: Some(Counting {
            plugin: plugin.to_owned(),
            marks: marks(case.kernel)?,
            turn_us: Some(TURN_US),
        }),
        ..Spec::usual(case.kernel, case.cpus, append)
    };
    let watch = Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(PATIENCE),
        after_ready: None,
        audit: None,
        resets: 0,
    };
    let outcome = vm::run(&spec, watch)?;
    let name = format!("{arch} with {} CPUs, {}", case.cpus, case.load.name());
    ensure!(
        outcome.end == End::Panic,
        "{name}: {}\n{}",
        outcome.end.describe(),
        outcome.text
    );
    read(case, &outcome).with_context(|| name)
}

fn read(case: &Case<'_>, outcome: &Outcome) -> Result<Counted> {
    let counts = outcome.counts.as_ref().context("the plugin counted nothing")?;
    let mark = |name: &str| {
        counts
            .mark(name)
            .with_context(|| format!("the plugin did not see the {name}"))
    };
    let (panic, request, arrival, done) = (mark(PANIC)?, mark(REQUEST)?, mark(ARRIVAL)?, mark(DONE)?);
    let others = u64::from(case.cpus - 1);
    ensure!(
        arrival.hits == others,
        "{} of {others} CPUs came to their stop routine",
        arrival.hits
    );
    let took = last(&outcome.records, "stop").and_then(|stop| stop.number("took_ns"));
    Ok(Counted {
        arch: case.arch(),
        cpus: case.cpus,
        load: case.load,
        request: request.first - panic.first,
        arrival: arrival.last.saturating_sub(request.first),
        stop: done.first - request.first,
        took_ns: took.context("no @stop line")?,
    })
}

/// Where a panic begins, where the stop begins, where a CPU answers, and what comes after the stop.
fn marks(kernel: &Kernel) -> Result<Vec<(String, u64)>> {
    let elf = Elf::parse(&kernel.elf.read()?)?;
    let names: Vec<(String, u64)> = elf
        .symbols
        .iter()
        .map(|(name, address)| (format!("{:#}", rustc_demangle::demangle(name)), *address))
        .collect();
    let find = |mark: &str, is: &dyn Fn(&str) -> bool| {
        let found = names.iter().find(|(name, _)| is(name));
        found
            .map(|(_, address)| (mark.to_owned(), *address))
            .with_context(|| format!("the compiler left no function to mark the {mark}"))
    };
    Ok(vec![
        find(PANIC, &|name| name == "core::panicking::panic_fmt")?,
        find(REQUEST, &|name| name.starts_with("kernel::stop::stop::<"))?,
        find(ARRIVAL, &|name| {
            name.starts_with("<smp_stop::smp::Engine<") && name.ends_with(">::follow")
        })?,
        find(DONE, &|name| name.starts_with("kernel::panic::speak::<"))?,
    ])
}
