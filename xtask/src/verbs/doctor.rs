//! `cargo xtask doctor` and `cargo xtask setup`: what the machine has, and how to get the rest.

use anyhow::Result;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};

use crate::exit::Exit;
use crate::needs::newer::Newer;
use crate::needs::{self, Install, Need, State, crates};
use crate::out::say;

/// Says what the machine has of what xtask needs, and how to get the rest. Exits with 3 if something is missing.
///
/// Below the table it names what only a newer QEMU shows. Nothing needs that: what does is skipped, by name.
#[derive(Args, Debug)]
pub struct Doctor {}

/// Installs all that any verb needs, at once. Each verb does so for itself when the time comes.
#[derive(Args, Debug)]
pub struct Setup {}

impl Doctor {
    /// Runs the verb.
    ///
    /// # Errors
    /// None.
    pub fn run(self) -> Result<Exit> {
        let found: Vec<(Need, State)> = Need::ALL.into_iter().map(|need| (need, need.look())).collect();
        say!("{}", table(&found));
        newer(|newer| newer.lacking(newer.arch()))
            .iter()
            .for_each(|line| say!("{line}"));
        let missing = found
            .iter()
            .filter(|(_, state)| matches!(state, State::Missing { .. }))
            .count();
        if missing == 0 {
            say!("all is well");
            return Ok(Exit::Pass);
        }
        say!("{missing} missing; `cargo xtask setup` installs all, and each verb installs what it needs");
        Ok(Exit::ToolMissing)
    }
}

impl Setup {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something could not or may not be installed.
    pub fn run(self, install: Install) -> Result<Exit> {
        needs::ensure(&Need::ALL, install)?;
        say!("all is there");
        Ok(Exit::Pass)
    }
}

/// Fits a terminal, and an issue that somebody pastes it into.
const WIDTH: u16 = 100;

fn table(found: &[(Need, State)]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header(["need", "found", "minimum", "where, or the fix"]);
    for (need, state) in found {
        let (version, place) = match state {
            State::Found { version, place } => (version.clone(), place.clone()),
            State::Missing { found } => (format!("MISSING: {found}"), fix(*need)),
        };
        table.add_row([need.name(), version, need.minimum(), place]);
    }
    table
}

/// A line for each thing that `lacking` gives a reason for. None is needed: the tests of it are skipped, by name.
fn newer(lacking: impl Fn(Newer) -> Option<String>) -> Vec<String> {
    let line = |newer: Newer| {
        Some(format!(
            "not to be seen here: {} ({})",
            lacking(newer)?,
            newer.why()
        ))
    };
    Newer::ALL.into_iter().filter_map(line).collect()
}

fn fix(need: Need) -> String {
    if let Some(program) = need.program() {
        return crates::command(program);
    }
    let debian = format!("apt-get install {}", need.packages().join(" "));
    match need.component() {
        Some(component) => format!("rustup component add {component}, or {debian}"),
        None => debian,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_newer_qemu_shows_is_named() {
        let old = newer(|newer| Some(format!("{} needs a newer QEMU", newer.name())));
        assert_eq!(old.len(), Newer::ALL.len());
        assert!(old[0].contains("x2APIC") && old[0].contains("more than 255 x86 CPUs"));
        assert!(old[1].contains("FEAT_NMI") && old[1].contains("GICv3.3"));
        assert!(newer(|_| None).is_empty());
    }

    #[test]
    fn every_need_has_a_row_and_a_fix() {
        let missing = |need: Need| {
            (
                need,
                State::Missing {
                    found: "not found".into(),
                },
            )
        };
        let text = table(&Need::ALL.map(missing)).to_string();
        for need in Need::ALL {
            assert!(
                text.contains(&need.name())
                    && text.contains(need.program().unwrap_or_else(|| need.packages()[0])),
                "{}",
                need.name()
            );
        }
    }
}
