//! The test matrix: every kernel on every machine, side by side, and whether each run ended as it had to.

pub mod cells;
pub mod odd;
pub mod places;
pub mod report;
pub mod schedule;
pub mod shard;
pub mod task;
pub mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::ProgressBar;

use self::cells::Cell;
use crate::kernel::{self, Flavour, Kernel};
use crate::progress;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::spec::{Boot, Spec};
use crate::vm::{self, Outcome, Watch, machine};

/// A cell that was run, or passed over.
#[derive(Debug)]
pub struct Finished {
    pub cell: Cell,
    pub came: Came,
    /// Absent if QEMU did not start.
    pub outcome: Option<Outcome>,
    pub wall: Duration,
}

/// What came of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It ended as it must.
    Right,
    /// It did not, for this reason.
    Wrong(String),
    /// It was not run, because the machine lacks this.
    Skipped(String),
}

impl Came {
    /// What was wrong, if it was run and something was.
    pub fn wrong(&self) -> Option<&str> {
        match self {
            Self::Wrong(wrong) => Some(wrong),
            Self::Right | Self::Skipped(_) => None,
        }
    }

    /// Why it was not run, if it was not.
    pub fn skipped(&self) -> Option<&str> {
        match self {
            Self::Skipped(why) => Some(why),
            Self::Right | Self::Wrong(_) => None,
        }
    }
}

impl Finished {
    fn skipped(cell: Cell, why: String) -> Self {
        Self {
            cell,
            came: Came::Skipped(why),
            outcome: None,
            wall: Duration::ZERO,
        }
    }
}

/// Builds what `cells` need, boots them, `jobs` small ones at a time, and tells of each in a line: on standard error if
/// `quiet`, because standard output is for a program then.
///
/// # Errors
/// When a kernel does not build. What goes wrong in a cell is in its [`Finished`].
pub fn run(cells: Vec<Cell>, jobs: usize, quiet: bool) -> Result<Vec<Finished>> {
    let order: Vec<Cell> = cells.clone();
    let (cells, skipped) = possible(cells);
    let kernels = build(&cells)?;
    let bar = progress::bar(cells.len() as u64);
    skipped.iter().for_each(|skipped| show(skipped, &bar, quiet));
    let mut finished = schedule::run(cells, jobs, Cell::weight, |cell| {
        let finished = boot(cell, &kernels);
        show(&finished, &bar, quiet);
        finished
    });
    bar.finish_and_clear();
    finished.extend(skipped);
    finished.sort_by_key(|done| order.iter().position(|cell| *cell == done.cell));
    Ok(finished)
}

/// Those that QEMU can show, and the others, done with.
fn possible(cells: Vec<Cell>) -> (Vec<Cell>, Vec<Finished>) {
    let (mut possible, mut skipped) = (Vec::new(), Vec::new());
    for cell in cells {
        match cell.lacking() {
            None => possible.push(cell),
            Some(why) => skipped.push(Finished::skipped(cell, why)),
        }
    }
    (possible, skipped)
}

fn build(cells: &[Cell]) -> Result<BTreeMap<Flavour, Kernel>> {
    let flavours: BTreeSet<Flavour> = cells.iter().map(|cell| cell.flavour).collect();
    let with_loader: BTreeSet<Flavour> = cells
        .iter()
        .filter(|cell| cell.boot == Boot::Efi)
        .map(|cell| cell.flavour)
        .collect();
    let mut kernels = BTreeMap::new();
    for flavour in flavours {
        let kernel = kernel::build(flavour)?;
        if with_loader.contains(&flavour) {
            // Now, because a cell's time is that of its machine.
            kernel.loader()?;
        }
        kernels.insert(flavour, kernel);
    }
    Ok(kernels)
}

fn boot(cell: Cell, kernels: &BTreeMap<Flavour, Kernel>) -> Finished {
    let started = Instant::now();
    let outcome = vm::run(&spec(&cell, &kernels[&cell.flavour]), watch(&cell));
    let wrong = match &outcome {
        Ok(outcome) => verdict::check(&cell, outcome),
        Err(error) => Err(format!("{error:#}")),
    };
    Finished {
        cell,
        came: wrong.map_or_else(Came::Wrong, |()| Came::Right),
        outcome: outcome.ok(),
        wall: started.elapsed(),
    }
}

fn spec<'a>(cell: &Cell, kernel: &'a Kernel) -> Spec<'a> {
    let arch = cell.flavour.arch;
    // Several machines share the host: a CPU whose thread does not run for a while is no finding.
    let grace = if cell.flavour.smp { "stop_grace=2000" } else { "" };
    let order = cell.odd.map_or(cell.task.append(), |_| "");
    let append = ["panic=-1", grace, cell.words, order].join(" ");
    Spec {
        kernel,
        boot: cell.boot,
        machine: machine::merge(arch, cell.machine),
        cpu: cell.cpu.unwrap_or(arch.default_cpu()).to_owned(),
        cpus: cell.cpus,
        topology: String::new(),
        memory: cell.memory.size.into(),
        tables: cell.odd.and_then(|odd| odd.tables(&append)),
        append,
        initrd: None,
        disk: None,
        gdb: None,
        counting: None,
        extra: extra(cell),
    }
}

/// Arguments of QEMU's that only some machines have.
fn extra(cell: &Cell) -> Vec<OsString> {
    let topology = cell.topology.map_or(&[][..], |topology| topology.args);
    topology.iter().map(OsString::from).collect()
}

fn watch(cell: &Cell) -> Watch {
    Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(cell.timeout()),
        after_ready: cell.after_ready(),
        audit: cell.task.audit(),
        resets: cell.task.resets(),
    }
}

fn show(finished: &Finished, bar: &ProgressBar, quiet: bool) {
    let text = report::line(finished);
    bar.suspend(|| {
        // To standard error when standard output is for a program.
        let _ = if quiet {
            writeln!(io::stderr().lock(), "{text}")
        } else {
            writeln!(io::stdout().lock(), "{text}")
        };
    });
    if finished.came.skipped().is_none() {
        bar.inc(1);
    }
}
