//! What came of the matrix: for a person, for JUnit readers, for programs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use comfy_table::{Table, presets};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::{Came, Finished};
use crate::report::{Page, Run};
use crate::{file, paths};

/// As many lines of a failed cell's console as one wants to see in passing.
const TAIL: usize = 25;

/// One line for a cell, and the end of its console if it failed.
pub fn line(finished: &Finished) -> String {
    let (name, wall) = (finished.cell.name(), finished.wall.as_secs_f32());
    let wrong = match &finished.came {
        Came::Right => return format!("ok    {name:<38} {wall:6.1} s"),
        Came::Skipped(why) => return format!("skip  {name:<38}           {why}"),
        Came::Wrong(wrong) => wrong,
    };
    let text = finished
        .outcome
        .as_ref()
        .map_or("", |outcome| outcome.text.trim_end());
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(TAIL)..]
        .iter()
        .map(|line| format!("\n      | {line}"));
    format!(
        "FAIL  {name:<38} {wall:6.1} s  {wrong}{}",
        tail.collect::<String>()
    )
}

/// Rows are machines, columns are builds and sizes.
pub fn table(all: &[Finished]) -> Table {
    let mut columns: Vec<(bool, u32, String)> = Vec::new();
    let mut rows: Vec<String> = Vec::new();
    for done in all {
        let column = (done.cell.flavour.smp, done.cell.cpus, done.cell.column());
        if !columns.contains(&column) {
            columns.push(column);
        }
        if !rows.contains(&done.cell.row()) {
            rows.push(done.cell.row());
        }
    }
    columns.sort();
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    let names = columns
        .iter()
        .map(|(_, _, name)| name.replace('-', " ").to_uppercase());
    table.set_header(std::iter::once(String::new()).chain(names));
    for row in rows {
        let entry = |name: &String| {
            all.iter()
                .find(|done| done.cell.row() == row && done.cell.column() == *name)
        };
        let entries = columns
            .iter()
            .map(|(_, _, name)| entry(name).map_or_else(String::new, short));
        table.add_row(std::iter::once(row.clone()).chain(entries));
    }
    // Room for the names of machines within 100 columns.
    table
        .column_iter_mut()
        .for_each(|column| _ = column.set_padding((0, 1)));
    table
}

fn short(done: &Finished) -> String {
    match done.came {
        Came::Right => format!("{:.1} s", done.wall.as_secs_f32()),
        Came::Wrong(_) => "FAIL".into(),
        Came::Skipped(_) => "skip".into(),
    }
}

/// For the page of all cells.
fn run(done: &Finished) -> Run {
    Run::of(done.cell.name(), done.outcome.as_ref(), done.came.wrong())
        .again(format!("cargo xtask matrix --filter {}", done.cell.name()), None)
        .at(done.cell.row(), done.cell.column())
}

/// The page of all cells.
pub fn page(all: &[Finished]) -> Page {
    Page {
        runs: all
            .iter()
            .filter(|done| done.came.skipped().is_none())
            .map(run)
            .collect(),
        ..Page::new("Standstill: the matrix")
    }
}

/// Writes `matrix.xml` and `matrix.json` below the output folder, and says where.
///
/// # Errors
/// When they cannot be written.
pub fn write(all: &[Finished]) -> Result<[PathBuf; 2]> {
    let dir = paths::out();
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let (xml, list) = (dir.join("matrix.xml"), dir.join("matrix.json"));
    file::write_all(&xml, junit(all).to_string().context("cannot write JUnit XML")?)?;
    file::write_all(&list, format!("{:#}\n", to_json(all)))?;
    Ok([xml, list])
}

/// The report that CI services read.
pub fn junit(all: &[Finished]) -> Report {
    let mut suite = TestSuite::new("matrix");
    for done in all {
        let mut case = TestCase::new(done.cell.name(), status(&done.came));
        case.set_classname(done.cell.row()).set_time(done.wall);
        if let Some(outcome) = &done.outcome {
            case.set_system_out(outcome.text.as_str());
        }
        suite.add_test_case(case);
    }
    let mut report = Report::new("standstill");
    report.add_test_suite(suite);
    report
}

fn status(came: &Came) -> TestCaseStatus {
    let (mut status, why) = match came {
        Came::Right => return TestCaseStatus::success(),
        Came::Wrong(why) => (TestCaseStatus::non_success(NonSuccessKind::Failure), why),
        Came::Skipped(why) => (TestCaseStatus::skipped(), why),
    };
    status.set_message(why.as_str());
    status
}

/// The same for programs.
pub fn to_json(all: &[Finished]) -> Value {
    let cell = |done: &Finished| {
        json!({
            "name": done.cell.name(),
            "cell": done.cell,
            "passed": done.came == Came::Right,
            "wrong": done.came.wrong(),
            "skipped": done.came.skipped(),
            "wall_ms": done.wall.as_millis(),
            "end": done.outcome.as_ref().map(|outcome| outcome.end),
            "records": done.outcome.as_ref().map(|outcome| &outcome.records),
            "places": done.outcome.as_ref().map(|outcome| &outcome.places),
        })
    };
    all.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::matrix::cells;

    fn all(came: &Came) -> Vec<Finished> {
        let finished = |cell| Finished {
            cell,
            came: came.clone(),
            outcome: None,
            wall: Duration::from_secs(12),
        };
        cells::all(false).into_iter().map(finished).collect()
    }

    #[test]
    fn the_table_fits_a_terminal() {
        for came in [Came::Right, Came::Wrong("no".into()), Came::Skipped("old".into())] {
            let text = table(&all(&came)).to_string();
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
            assert_eq!(text.contains("FAIL"), came.wrong().is_some());
            assert_eq!(text.contains("skip"), came.skipped().is_some());
        }
    }

    #[test]
    fn a_cell_that_was_skipped_is_named_with_the_reason() {
        let done = all(&Came::Skipped("x2APIC needs QEMU 9.0".into())).remove(0);
        let line = line(&done);
        assert!(
            line.starts_with("skip ") && line.contains(&done.cell.name()),
            "{line}"
        );
        assert!(line.contains("x2APIC needs QEMU 9.0"), "{line}");
    }

    #[test]
    fn reports_count_what_failed() {
        let number = cells::all(false).len();
        for (came, failures, skipped) in [
            (Came::Right, 0, 0),
            (Came::Wrong("no".into()), number, 0),
            (Came::Skipped("old".into()), 0, number),
        ] {
            let all = all(&came);
            let suite = &junit(&all).test_suites[0];
            assert_eq!((suite.failures, suite.skipped), (failures, skipped));
            let json = to_json(&all);
            let list = json.as_array().unwrap();
            let passed = |cell: &&Value| cell["passed"] == true;
            assert_eq!(
                (list.len(), list.iter().filter(passed).count()),
                (number, number - failures - skipped)
            );
        }
    }
}
