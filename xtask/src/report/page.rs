//! The page itself: its data, and how it becomes HTML.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use minijinja::Environment;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::story::Story;
use crate::arch::Arch;
use crate::needs::{Need, State};

/// All of a page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub title: String,
    pub sources: Vec<Source>,
    pub runs: Vec<Run>,
    pub tables: Vec<Table>,
    pub figures: Vec<Figure>,
}

/// Where its data come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Source {
    /// What was typed.
    pub command: String,
    /// With what, and on what.
    pub tools: String,
}

/// One run. Serialised it is what the page's code reads, and what a page made of pages is made of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    pub name: String,
    /// What was wrong, if anything.
    pub wrong: Option<String>,
    /// How it ended, in words.
    pub end: String,
    pub wall_ms: u64,
    pub seed: Option<u64>,
    /// The command that repeats it.
    pub again: String,
    /// Its place in the table of all, if there is one.
    pub row: String,
    pub column: String,
    pub console: String,
    #[serde(skip_deserializing)]
    pub story: Option<Story>,
    /// The story of a run that was read from another page.
    #[serde(skip)]
    pub retold: Option<Value>,
}

/// A table of figures. The first column is names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Something the page's code draws.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Figure {
    /// Lines, or dots, over two logarithmic axes.
    Lines {
        title: String,
        note: String,
        x: String,
        y: String,
        series: Vec<Line>,
    },
    /// How many of some times lie where.
    Histogram {
        title: String,
        note: String,
        series: Vec<Values>,
    },
    /// What some wholes are made of.
    Phases {
        title: String,
        note: String,
        rows: Vec<Parts>,
    },
}

/// A line of [`Figure::Lines`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub dashed: bool,
    /// That of which line's number, if not its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<usize>,
}

/// Numbers of [`Figure::Histogram`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Values {
    pub name: String,
    pub values: Vec<u64>,
}

/// A row of [`Figure::Phases`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parts {
    pub name: String,
    /// What stands behind it; without it the sum as a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    pub parts: Vec<(String, u64)>,
}

impl Table {
    /// One that is printed elsewhere, too.
    pub fn of(title: &str, table: &comfy_table::Table) -> Self {
        let cells = |row: &comfy_table::Row| -> Vec<String> {
            row.cell_iter()
                .map(|cell| cell.content().replace('`', ""))
                .collect()
        };
        Self {
            title: title.to_owned(),
            columns: table.header().map_or_else(Vec::new, cells),
            rows: table.row_iter().map(cells).collect(),
        }
    }
}

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Page {
    /// A page about the command line that is running.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            sources: vec![Source {
                command: typed(),
                tools: tools(),
            }],
            ..Self::default()
        }
    }

    /// As one HTML file.
    ///
    /// # Errors
    /// When the template is wrong, which a test excludes.
    pub fn html(&self) -> Result<String> {
        let mut environment = Environment::new();
        environment.add_template("page.html", TEMPLATE)?;
        let shown: Vec<Value> = self
            .runs
            .iter()
            .enumerate()
            .map(|(n, run)| run.shown(n))
            .collect();
        let failures: Vec<&Value> = shown.iter().filter(|run| !run["wrong"].is_null()).collect();
        let state = |run: &Run| run.story_value()["stop"]["state"].as_str().map(str::to_owned);
        let states: Vec<String> = self.runs.iter().filter_map(state).collect();
        let tally = json!({
            "runs": self.runs.len(),
            "failed": failures.len(),
            "stops": states.len(),
            "partial": states.iter().filter(|state| *state != "stopped").count(),
        });
        let context = json!({
            "page": { "title": self.title, "sources": self.sources, "tables": self.tables },
            "runs": shown,
            "failures": failures,
            "tally": tally,
            "matrices": self.matrices(),
            "data": embedded(&self.data()),
            "css": STYLE,
            "js": SCRIPT,
        });
        let template = environment.get_template("page.html")?;
        Ok(template.render(template_value(&context))?)
    }

    /// All that is drawn, and all that another page needs to take this one in.
    fn data(&self) -> Value {
        let runs = self.runs.iter().map(|run| {
            let mut value = json!(run);
            value["story"] = run.story_value();
            value
        });
        json!({
            "title": self.title,
            "sources": self.sources,
            "runs": runs.collect::<Vec<_>>(),
            "tables": self.tables,
            "figures": self.figures,
        })
    }

    /// The runs that have a place, in a table for each kind of run.
    fn matrices(&self) -> Vec<Value> {
        let placed: Vec<(usize, &Run)> = self
            .runs
            .iter()
            .enumerate()
            .filter(|(_, run)| !run.row.is_empty())
            .collect();
        if placed.is_empty() {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut columns: Vec<&str> = placed
            .iter()
            .map(|(_, run)| run.column.as_str())
            .filter(|name| seen.insert(*name))
            .collect();
        columns.sort_by_key(|name| by_size(name));
        let mut seen = BTreeSet::new();
        let rows = placed
            .iter()
            .map(|(_, run)| run.row.as_str())
            .filter(|name| seen.insert(*name));
        let entry = |n: usize, run: &Run| {
            let text = if run.wrong.is_some() {
                "FAIL".to_owned()
            } else {
                seconds(run.wall_ms)
            };
            json!({ "index": n, "passed": run.wrong.is_none(), "text": text })
        };
        let cell = |row: &str, column: &str| -> Vec<Value> {
            let here = placed
                .iter()
                .filter(|(_, run)| run.row == row && run.column == column);
            here.map(|(n, run)| entry(*n, run)).collect()
        };
        let rows: Vec<Value> = rows
            .map(|row| json!({ "name": row, "cells": columns.iter().map(|column| cell(row, column)).collect::<Vec<_>>() }))
            .collect();
        vec![json!({ "title": "All runs", "columns": columns, "rows": rows })]
    }

    /// The page that `html` is, as far as it is data.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(html: &str) -> Result<Self> {
        const OPEN: &str = "<script type=\"application/json\" id=\"data\">";
        let (_, rest) = html.split_once(OPEN).context("no report page")?;
        let (text, _) = rest.split_once("</script>").context("no whole report page")?;
        let mut data: Value = serde_json::from_str(text).context("a damaged report page")?;
        let mut take = |key: &str| data[key].take();
        let (title, runs) = (take("title"), take("runs"));
        let mut page = Self {
            title: title.as_str().unwrap_or_default().to_owned(),
            sources: serde_json::from_value(take("sources"))?,
            tables: serde_json::from_value(take("tables"))?,
            figures: serde_json::from_value(take("figures"))?,
            runs: Vec::new(),
        };
        for mut value in runs.as_array().cloned().unwrap_or_default() {
            let story = value["story"].take();
            let run: Run = serde_json::from_value(value)?;
            page.runs.push(Run {
                retold: Some(story).filter(|story| !story.is_null()),
                ..run
            });
        }
        Ok(page)
    }

    /// Takes another page in.
    pub fn add(&mut self, other: Self) {
        self.sources.extend(other.sources);
        self.runs.extend(other.runs);
        self.tables.extend(other.tables);
        self.figures.extend(other.figures);
    }
}

impl Run {
    fn story_value(&self) -> Value {
        match (&self.story, &self.retold) {
            (Some(story), _) => json!(story),
            (None, Some(value)) => value.clone(),
            (None, None) => Value::Null,
        }
    }

    /// What the template shows.
    fn shown(&self, index: usize) -> Value {
        let story = self.story_value();
        let stop = story["stop"]["took"].as_u64().map(|took| {
            let state = story["stop"]["state"].as_str().unwrap_or("not finished");
            format!("{state} after {}", time(took))
        });
        json!({
            "index": index,
            "name": self.name,
            "wrong": self.wrong,
            "end": self.end,
            "seed": self.seed,
            "again": self.again,
            "console": self.console,
            "wall": seconds(self.wall_ms),
            "stop": stop,
            "has_story": !story.is_null(),
        })
    }
}

/// The command line that is running.
pub fn typed() -> String {
    let words = std::env::args().skip(1).map(|word| quoted(&word));
    format!("cargo xtask {}", words.collect::<Vec<_>>().join(" "))
}

/// A name's order among others: those that differ in the number at their end only, by that number.
fn by_size(name: &str) -> (&str, u64) {
    let head = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (head, name[head.len()..].parse().unwrap_or(0))
}

/// The emulator, and what it ran on.
fn tools() -> String {
    let qemu = match Need::Qemu(Arch::X86_64).look() {
        State::Found { version, .. } => format!("QEMU {version}"),
        State::Missing { .. } => "QEMU".into(),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{qemu} on {cores} cores")
}

/// Nanoseconds as one says them.
fn time(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (1e3, "us"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{:.1} {name}", ns as f64 / unit)
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// JSON as the template engine takes it.
fn template_value(json: &Value) -> minijinja::Value {
    match json {
        Value::Null => ().into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => number
            .as_u64()
            .map_or_else(|| number.as_f64().into(), minijinja::Value::from),
        Value::String(text) => text.as_str().into(),
        Value::Array(list) => list.iter().map(template_value).collect::<Vec<_>>().into(),
        Value::Object(map) => minijinja::Value::from_pairs(
            map.iter()
                .map(|(key, value)| (key.as_str(), template_value(value))),
        ),
    }
}

/// JSON that can stand in a script element: nothing in it ends one.
fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}
