//! The report page: what runs showed of their CPUs, in one file that needs nothing else.

pub mod browser;
pub mod page;
pub mod perfetto;
pub mod pictures;
pub mod story;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::Args;

pub use self::page::{Figure, Page, Run, Table};
pub use self::story::Story;
use crate::vm::Outcome;
use crate::{file, paths};

static WANTED: AtomicBool = AtomicBool::new(false);

/// From here on each run is asked for its story before it is over.
pub fn want() {
    WANTED.store(true, Ordering::Relaxed);
}

/// Whether runs are asked for their stories.
pub fn is_wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Where to, on the command line.
#[derive(Args, Clone, Debug, Default)]
pub struct Out {
    /// Write a page about it: one HTML file, lanes of all CPUs, no network needed.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

impl Out {
    /// Has runs asked for their stories, if there is to be a page. Before the first of them.
    ///
    /// # Errors
    /// [`Refused`](crate::exit::Refused), when the page cannot be written there.
    pub fn prepare(&self) -> Result<()> {
        file::check_any("--report", self.report.as_deref())?;
        if self.report.is_some() {
            want();
        }
        Ok(())
    }

    /// Writes the page, if there is to be one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, page: impl FnOnce() -> Page) -> Result<()> {
        match &self.report {
            Some(path) => write(path, &page()),
            None => Ok(()),
        }
    }
}

/// Writes `page` to `file`.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, page: &Page) -> Result<()> {
    let html = page.html().context("the page cannot be made")?;
    file::write_all(path, html)?;
    crate::out::tell!("{}", paths::shown(path));
    Ok(())
}

/// As much of a console as one wants to see of a run that went well among many.
const TAIL: usize = 60;

impl Run {
    /// A run and what was wrong with it.
    pub fn of(name: impl Into<String>, outcome: Option<&Outcome>, wrong: Option<&str>) -> Self {
        let text = outcome.map_or("", |outcome| outcome.text.trim_end());
        let lines: Vec<&str> = text.lines().collect();
        Self {
            name: name.into(),
            wrong: wrong.map(str::to_owned),
            end: outcome
                .map_or("QEMU did not start", |outcome| outcome.end.describe())
                .to_owned(),
            wall_ms: outcome.map_or(0, |outcome| outcome.wall.as_millis() as u64),
            console: lines[lines.len().saturating_sub(TAIL)..].join("\n"),
            story: outcome.and_then(|outcome| outcome.story.clone()),
            ..Self::default()
        }
    }

    /// With what repeats it.
    #[must_use]
    pub fn again(self, again: impl Into<String>, seed: Option<u64>) -> Self {
        Self {
            again: again.into(),
            seed,
            ..self
        }
    }

    /// With its place in a table of all runs.
    #[must_use]
    pub fn at(self, row: impl Into<String>, column: impl Into<String>) -> Self {
        Self {
            row: row.into(),
            column: column.into(),
            ..self
        }
    }
}
