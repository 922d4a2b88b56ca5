//! The catalogue as a page: the table in docs/scenarios.md is made here, so that it says what is so.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use super::catalogue::{self, Scenario, Stage};
use crate::arch::Arch;
use crate::{file, paths};

const PAGE: &str = "docs/scenarios.md";
const BEGIN: &str = "<!-- the catalogue, by `cargo xtask scenario --page` -->\n";
const END: &str = "<!-- end of the catalogue -->\n";

/// Renews the table in the page.
///
/// # Errors
/// When there is no such page, or no place for the table in it.
pub fn write() -> Result<()> {
    let path = paths::root().join(PAGE);
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let (before, _, after) = split(&old).with_context(|| format!("{PAGE} has no place for the catalogue"))?;
    let new = format!("{before}{BEGIN}{}{END}{after}", table());
    file::write_all(&path, new)
}

/// What comes before the table, the table, what comes after.
fn split(page: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    Some((before, table, after))
}

fn table() -> String {
    let mut text = String::from(
        "\n| # | name | what happens | kernel | host | why there |\n|---:|---|---|---|---|---|\n",
    );
    for scenario in catalogue::all() {
        let Scenario {
            number,
            name,
            story,
            why,
            host,
            stages,
        } = &scenario;
        let tests: Vec<String> = host
            .iter()
            .map(|host| format!("{} `{}`", host.place(), host.test()))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {number} | {name} | {story} | {} | {} | {why} |",
            kernel(stages),
            tests.join(", ")
        );
    }
    text.push('\n');
    text
}

/// On how many ways and where it is staged.
fn kernel(stages: &[Stage]) -> String {
    let on = |arch: Arch| stages.iter().filter(|stage| stage.archs.contains(&arch)).count();
    let counts = Arch::ALL.map(on);
    match counts {
        [0, 0, 0] => "-".into(),
        [a, b, c] if a == b && b == c => format!("all, {a}"),
        _ => {
            let each = Arch::ALL.iter().zip(counts).filter(|(_, count)| *count > 0);
            let each: Vec<String> = each.map(|(arch, count)| format!("{arch} {count}")).collect();
            each.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;
    use crate::scenario::catalogue::Host;
    use crate::vm::machine;

    #[test]
    fn the_page_says_what_is_so() {
        let page = fs::read_to_string(paths::root().join(PAGE)).unwrap();
        let (_, shown, _) = split(&page).expect("the page has a place for the catalogue");
        assert_eq!(shown, table(), "renew it: cargo xtask scenario --page");
    }

    #[test]
    fn there_are_fifty_seven_each_tried_somewhere_or_with_a_reason() {
        let all = catalogue::all();
        let numbers: Vec<u8> = all.iter().map(|one| one.number).collect();
        assert_eq!(numbers, (1..=57).collect::<Vec<u8>>());
        let names: HashSet<&str> = all.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), 57);
        for one in &all {
            let tried = !one.stages.is_empty() || !one.host.is_empty();
            assert!(tried || !one.why.is_empty(), "{}", one.name);
            let everywhere = |arch: &Arch| one.stages.iter().any(|stage| stage.archs.contains(arch));
            let promised = [1, 2, 11, 12, 13, 14].contains(&one.number);
            assert!(!promised || Arch::ALL.iter().all(everywhere), "{}", one.name);
        }
    }

    #[test]
    fn ways_have_names_of_their_own_and_fit_their_machines() {
        for one in catalogue::all() {
            for (at, stage) in one.stages.iter().enumerate() {
                let same = |other: &Stage| {
                    other.label == stage.label && other.archs.iter().any(|arch| stage.archs.contains(arch))
                };
                assert!(!one.stages[..at].iter().any(same), "{} {}", one.name, stage.label);
                assert!(stage.early.len() < 256 && stage.inject.matches(',').count() < 32);
                for arch in stage.archs {
                    let most = machine::max_cpus(*arch, &machine::merge(*arch, stage.machine));
                    assert!(most.is_some_and(|most| stage.cpus <= most), "{} {arch}", one.name);
                }
            }
        }
    }

    /// All Rust below `dir`.
    fn sources(dir: &Path) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                text.push_str(&sources(&path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
        text
    }

    #[test]
    fn every_test_that_is_named_is_there() {
        let below = |dir: &str| sources(&paths::root().join(dir));
        let (sim, engine) = (below("arch/sim/tests"), below("crates/smp-stop"));
        let (loom, shuttle) = (
            below("crates/smp-stop/tests/loom"),
            below("crates/smp-stop/tests/shuttle"),
        );
        for host in catalogue::all().iter().flat_map(|one| one.host.clone()) {
            let (text, test) = match host {
                Host::Sim(test) => (&sim, test),
                Host::Loom(test) => (&loom, test),
                Host::Shuttle(test) => (&shuttle, test),
                Host::Unit("smp-stop", test) => (&engine, test),
                Host::Unit(package, _) => panic!("where are the sources of {package}?"),
            };
            assert!(text.contains(&format!("fn {test}")), "{}", host.name());
        }
    }
}
