//! What came of the scenarios: for a person, for JUnit readers, for programs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::Played;
use crate::report::{Page, Run};
use crate::{file, paths};

/// As many lines of a failed run's console as one wants to see in passing.
const TAIL: usize = 40;

/// One line, and what repeats it and the end of its console if it failed.
pub fn line(played: &Played) -> String {
    let seed = played.seed.map_or(String::new(), |seed| format!("  seed {seed}"));
    let (number, name, wall) = (played.number, &played.name, played.wall.as_secs_f32());
    let Some(wrong) = &played.wrong else {
        let explained = explanation(&played.text);
        return format!("ok    {number:>2} {name:<62} {wall:5.1} s{seed}{explained}");
    };
    let lines: Vec<&str> = played.text.trim_end().lines().collect();
    let tail: String = lines[lines.len().saturating_sub(TAIL)..]
        .iter()
        .map(|line| format!("\n      | {line}"))
        .collect();
    format!(
        "FAIL  {number:>2} {name:<62} {wall:5.1} s{seed}\n      {wrong}\n      again: {}{tail}",
        played.replay
    )
}

/// What was found out about a machine that died without a word: that is what such a scenario is to show.
fn explanation(text: &str) -> String {
    let story = text
        .lines()
        .skip_while(|line| !line.starts_with("xtask: early death:"));
    let story = story
        .enumerate()
        .take_while(|(number, line)| *number == 0 || line.starts_with(' '));
    story.map(|(_, line)| format!("\n      | {line}")).collect()
}

/// For the page of all that was played: a row for each scenario, a column for each machine.
fn run(played: &Played) -> Run {
    let (what, machine) = played.name.split_once(' ').unwrap_or((&played.name, "host"));
    let lines: Vec<&str> = played.text.trim_end().lines().collect();
    let run = Run {
        name: format!("{} {}", played.number, played.name),
        wrong: played.wrong.clone(),
        end: played.end.to_owned(),
        wall_ms: played.wall.as_millis() as u64,
        console: lines[lines.len().saturating_sub(TAIL)..].join("\n"),
        story: played.story.clone(),
        ..Run::default()
    };
    run.again(played.replay.as_str(), played.seed)
        .at(format!("{:>2} {what}", played.number), machine)
}

/// The page of all that was played.
pub fn page(all: &[Played]) -> Page {
    Page {
        runs: all.iter().map(run).collect(),
        ..Page::new("Standstill: failures on purpose")
    }
}

/// Writes `scenario.xml` below the output folder, and says where.
///
/// # Errors
/// When it cannot be written.
pub fn write(all: &[Played]) -> Result<PathBuf> {
    let dir = paths::out();
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let path = dir.join("scenario.xml");
    let xml = junit(all).to_string().context("cannot write JUnit XML")?;
    file::write_all(&path, xml)?;
    Ok(path)
}

fn junit(all: &[Played]) -> Report {
    let mut suite = TestSuite::new("scenario");
    for played in all {
        let mut status = TestCaseStatus::success();
        if let Some(wrong) = &played.wrong {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(wrong.as_str());
        }
        let seed = played.seed.map_or(String::new(), |seed| format!(" seed {seed}"));
        let mut case = TestCase::new(format!("{}{seed}", played.name), status);
        case.set_classname(format!("scenario {}", played.number))
            .set_time(played.wall)
            .set_system_out(played.text.as_str());
        suite.add_test_case(case);
    }
    let mut report = Report::new("standstill");
    report.add_test_suite(suite);
    report
}

/// The same for programs.
pub fn to_json(all: &[Played]) -> Value {
    let one = |played: &Played| {
        json!({
            "number": played.number,
            "name": played.name,
            "seed": played.seed,
            "passed": played.wrong.is_none(),
            "wrong": played.wrong,
            "replay": played.replay,
            "wall_ms": played.wall.as_millis(),
        })
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_story_of_a_death_is_shown() {
        let text =
            "[    0.1] booting\nxtask: early death: why\n  CPU 1\n    walk\nxtask: other\n  not this\n";
        assert_eq!(
            explanation(text),
            "\n      | xtask: early death: why\n      |   CPU 1\n      |     walk"
        );
        assert_eq!(explanation("  CPU 1\n@end how=panic\n"), "");
    }
}
