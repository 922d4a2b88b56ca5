//! The figures as tables, in Markdown: the same on a terminal and in a document.

use std::fmt::Write;

use anyhow::{Context, Result};
use comfy_table::Table;
use serde::Serialize;

use super::timed::percentile;
use super::{Counted, DRAWN, Load, Timed, histogram};
use crate::bench::linux;
use crate::bench::report::{grouped, ratio, table};

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub qemu: String,
    pub counted: Vec<Counted>,
    pub timed: Vec<Timed>,
}

/// Between these lines of a document stand the figures.
const BEGIN: &str = "<!-- bench stop: begin -->";
const END: &str = "<!-- bench stop: end -->";

/// `document` with new figures between the marks.
///
/// # Errors
/// When there are no marks.
pub fn replace(document: &str, figures: &str) -> Result<String> {
    let marks = || format!("no lines `{BEGIN}` and `{END}`");
    let (before, rest) = document.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", figures.trim()))
}

impl Figures {
    /// The section of a document.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.counted.is_empty() {
            let _ = write!(
                text,
                "Instructions that all CPUs executed, optimised kernels, QEMU {}, `-icount shift=0`: the same on every run.\n\
                *to request*: from the first instruction of `panic!` to the stop's; *arrived*: from there to the last CPU's\n\
                arrival in its stop routine; *known*: until the owner knows that all stand; *whole*: from `panic!` until then,\n\
                nothing printed. Linux is Debian's 6.1 in the same QEMU, from its stop function's entry to the last CPU's\n\
                arrival, every other CPU spinning; before that it executes 260,000 to 530,000 instructions of its panic.\n\n{}\n",
                self.qemu,
                self.counts()
            );
        }
        if !self.timed.is_empty() {
            let _ = write!(
                text,
                "\nMicroseconds by the guest's clock, one host thread for each CPU on {} cores, each run audited. Until the owner\n\
                knew that all stood, and until a CPU answered:\n\n{}\n",
                std::thread::available_parallelism().map_or(1, usize::from),
                self.times()
            );
        }
        for timed in self
            .timed
            .iter()
            .filter(|one| one.cpus == DRAWN && one.load == Load::Busy)
        {
            let _ = write!(
                text,
                "\n{}, 8 CPUs, busy, {} stops:\n\n```text\n{}```\n",
                timed.arch,
                timed.took_ns.len(),
                histogram::of(&timed.took_ns, histogram::Ranges::Narrow)
            );
        }
        for complaint in self.timed.iter().filter(|one| !one.failures.is_empty()) {
            let count = complaint.failures.len();
            let _ = write!(text, "\n{count} runs not counted: {}\n", complaint.complaint());
        }
        text
    }

    pub fn counts(&self) -> Table {
        let mut table = table(&[
            "",
            "CPUs",
            "others",
            "to request",
            "arrived",
            "Linux",
            "of Linux",
            "known",
            "whole",
            "virtual us",
        ]);
        for one in &self.counted {
            let linux = (one.load == Load::Busy)
                .then(|| linux::stop(one.arch, one.cpus))
                .flatten();
            table.add_row([
                one.arch.to_string(),
                one.cpus.to_string(),
                one.load.name().into(),
                grouped(one.request),
                grouped(one.arrival),
                linux.map_or_else(|| "-".into(), grouped),
                linux.map_or_else(|| "-".into(), |linux| ratio(one.arrival, linux)),
                grouped(one.stop),
                grouped(one.whole()),
                micros(one.took_ns),
            ]);
        }
        table
    }

    pub fn times(&self) -> Table {
        let mut table = table(&[
            "",
            "CPUs",
            "others",
            "runs",
            "all: least",
            "median",
            "9 in 10",
            "most",
            "a CPU: median",
            "9 in 10",
            "most",
        ]);
        for one in &self.timed {
            let all = [0, 50, 90, 100].map(|percent| micros(percentile(&one.took_ns, percent)));
            let each = [50, 90, 100].map(|percent| micros(percentile(&one.answered_ns, percent)));
            let head = [
                one.arch.to_string(),
                one.cpus.to_string(),
                one.load.name().into(),
                one.took_ns.len().to_string(),
            ];
            table.add_row(head.into_iter().chain(all).chain(each));
        }
        table
    }
}

fn micros(ns: u64) -> String {
    if ns < 100_000 {
        format!("{:.1}", ns as f64 / 1000.0)
    } else {
        grouped(ns / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_what_is_around_the_figures() {
        let old = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(
            replace(&old, "new\n").unwrap(),
            format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n")
        );
        assert!(replace("nothing", "new").is_err());
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(micros(1_234), "1.2");
        assert_eq!(micros(12_345_678), "12,345");
    }
}
