//! `cargo xtask matrix`: every kernel on every machine.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use crate::arch::Arch;
use crate::exit::{Exit, Refused};
use crate::matrix::cells::{self, Cell};
use crate::matrix::shard::Shard;
use crate::matrix::{self, Finished, report};
use crate::needs::{self, Install, Need};
use crate::out::say;
use crate::report::Out;
use crate::{file, out, paths};

/// Into how many parts `--list --json` proposes to split the matrix.
const SHARDS: usize = 6;

/// Boots every kernel on every machine, side by side, and checks how each run ends and why.
///
/// Cells named panic, hang and triple-fault are controls: kernels that must fail, each in its own way. A cell is
/// wrong if it ends in another way than it must, and if it ends in that way for another reason.
///
/// A cell that takes a newer QEMU than there is, is skipped, by name and with the reason. The exit code is 3 if all are.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask matrix --list                  the names of all cells
  cargo xtask matrix --filter aarch64/       one architecture
  cargo xtask matrix --filter /smp-255       one size
  cargo xtask matrix --filter tables         machines whose tables have something odd in them; TABLES_SEED=0x.. for others
  cargo xtask matrix --report matrix.html    a page with what each CPU of each cell did
  cargo xtask matrix --shard 2/6 --release   one part of six, with optimised kernels
  cargo xtask matrix --list --json           the cells and shards, for a CI's matrix")]
pub struct Matrix {
    /// Print the cells instead of running them.
    #[arg(long)]
    list: bool,
    /// Print JSON to standard output at the end.
    #[arg(long)]
    json: bool,
    /// Only part K of N: parts hold neighbours, which share kernels.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Only cells with this in their name. May be given more than once.
    #[arg(long, value_name = "S")]
    filter: Vec<String>,
    /// How many small cells run at once [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Another place for the JUnit report.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    page: Out,
    /// Optimised kernels.
    #[arg(long)]
    release: bool,
}

impl Matrix {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing, does not build, or no cell is meant.
    pub fn run(self, install: Install) -> Result<Exit> {
        let cells = self.cells()?;
        if self.list {
            return self.print(&cells);
        }
        self.page.prepare()?;
        file::check_any("--junit", self.junit.as_deref())?;
        let all = execute(cells, self.jobs, install, self.json)?;
        self.page.write(|| report::page(&all))?;
        if let Some(path) = &self.junit {
            let xml = report::junit(&all)
                .to_string()
                .context("cannot write JUnit XML")?;
            file::write_all(path, xml)?;
        }
        if self.json {
            out::data(&format!("{:#}", report::to_json(&all)))?;
        }
        Ok(exit(&all))
    }

    fn cells(&self) -> Result<Vec<Cell>> {
        let mut cells = cells::all(self.release);
        cells.retain(|cell| {
            self.filter.is_empty() || self.filter.iter().any(|part| cell.name().contains(part))
        });
        if let Some(shard) = self.shard {
            cells = shard.of(cells);
        }
        if cells.is_empty() {
            return Err(Refused::usage(
                "no cell is meant by that; `cargo xtask matrix --list` names them all",
            ));
        }
        Ok(cells)
    }

    fn print(&self, cells: &[Cell]) -> Result<Exit> {
        if self.json {
            let shards: Vec<String> = (1..=SHARDS).map(|number| format!("{number}/{SHARDS}")).collect();
            let named: Vec<_> = cells
                .iter()
                .map(|cell| json!({ "name": cell.name(), "cell": cell }))
                .collect();
            out::data(&json!({ "shards": shards, "cells": named }).to_string())?;
        } else {
            cells.iter().for_each(|cell| say!("{}", cell.name()));
        }
        Ok(Exit::Pass)
    }
}

/// A matrix of which nothing was run has shown nothing.
fn exit(all: &[Finished]) -> Exit {
    if all.iter().any(|done| done.came.wrong().is_some()) {
        Exit::Failed
    } else if all.iter().all(|done| done.came.skipped().is_some()) {
        Exit::ToolMissing
    } else {
        Exit::Pass
    }
}

/// Runs `cells`, prints a line for each and a table of all, and writes the reports.
///
/// # Errors
/// When something is missing or does not build.
pub fn execute(
    cells: Vec<Cell>,
    jobs: Option<NonZero<usize>>,
    install: Install,
    quiet: bool,
) -> Result<Vec<Finished>> {
    let mut needs = vec![Need::KernelRust, Need::Linker];
    let used = |arch: &Arch| cells.iter().any(|cell| cell.flavour.arch == *arch);
    needs.extend(Arch::ALL.into_iter().filter(used).map(Need::Qemu));
    needs.extend(cells::needs(&cells));
    needs::ensure(&needs, install)?;
    let jobs = jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    let all = matrix::run(cells, jobs, quiet)?;
    let written = report::write(&all)?;
    if !quiet {
        say!("{}", report::table(&all));
        say!("{}", written.map(|path| paths::shown(&path)).join("\n"));
    }
    Ok(all)
}
