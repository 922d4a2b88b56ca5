//! What all runs came to.

use std::time::Duration;

use comfy_table::Table;
use serde::{Serialize, Serializer};

use super::Tallies;
use super::judge::Judgement;
use crate::bench::report::{grouped, table as empty};
use crate::bench::stop::histogram::{self, Ranges};

/// The runs of one architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub runs: u64,
    /// Machines that were stopped.
    pub stops: u64,
    /// Of these, stops that named somebody.
    pub partial: u64,
    /// Of these, stops that named a CPU to which nothing had been done, on a machine that did not stay.
    pub doubtful: u64,
    /// Machines that stayed and were audited.
    pub audits: u64,
    pub failures: u64,
    /// How long each stop took that had anybody to stop, by the guest's clock.
    pub took_ns: Vec<u64>,
    /// Of the whole soak.
    #[serde(serialize_with = "seconds")]
    pub wall: Duration,
}

fn seconds<S: Serializer>(wall: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f32(wall.as_secs_f32())
}

impl Tally {
    pub(super) fn add(&mut self, judgement: &Judgement) {
        self.runs += 1;
        self.stops += judgement.stopped as u64;
        self.partial += judgement.partial as u64;
        self.doubtful += judgement.doubtful as u64;
        self.audits += judgement.audited as u64;
        self.failures += judgement.wrong.is_some() as u64;
        self.took_ns.extend(judgement.took_ns);
    }
}

/// How far it is.
pub(super) fn line(tallies: &Tallies, elapsed: Duration) -> String {
    let each = tallies
        .iter()
        .map(|(arch, tally)| format!("{arch} {} stops", tally.stops));
    let failures: u64 = tallies.values().map(|tally| tally.failures).sum();
    let minutes = elapsed.as_secs() / 60;
    format!(
        "{minutes} min: {}; {failures} failures",
        each.collect::<Vec<_>>().join(", ")
    )
}

const COLUMNS: [&str; 8] = [
    "",
    "runs",
    "stops",
    "partial, explained",
    "partial, slow CPU",
    "audits",
    "failures",
    "stops a minute",
];

/// The table at the end.
pub fn table(tallies: &Tallies) -> Table {
    let mut table = empty(&COLUMNS);
    table.add_rows(rows(tallies));
    table
}

/// The same for the page.
pub fn page_table(tallies: &Tallies) -> crate::report::Table {
    crate::report::Table {
        title: "By architecture".into(),
        columns: COLUMNS.map(String::from).to_vec(),
        rows: rows(tallies).map(Vec::from).collect(),
    }
}

fn rows(tallies: &Tallies) -> impl Iterator<Item = [String; 8]> {
    tallies.iter().map(|(arch, tally)| {
        let minutes = tally.wall.as_secs_f32() / 60.0;
        [
            arch.to_string(),
            grouped(tally.runs),
            grouped(tally.stops),
            grouped(tally.partial.saturating_sub(tally.doubtful)),
            grouped(tally.doubtful),
            grouped(tally.audits),
            grouped(tally.failures),
            format!("{:.1}", tally.stops as f32 / minutes.max(0.01)),
        ]
    })
}

/// How long the stops took, of an architecture a paragraph. In all of them: with idle, busy and deaf CPUs, few and many.
pub fn histograms(tallies: &Tallies) -> String {
    let paragraphs = tallies.iter().filter(|(_, tally)| !tally.took_ns.is_empty());
    let texts = paragraphs.map(|(arch, tally)| {
        let bars = histogram::of(&tally.took_ns, Ranges::Wide);
        format!(
            "{arch}, how long {} stops took:\n\n{bars}",
            grouped(tally.took_ns.len() as u64)
        )
    });
    texts.collect::<Vec<_>>().join("\n")
}
