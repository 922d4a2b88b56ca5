//! Programs that Debian has not, or not new enough: built by cargo, into the output folder and nowhere else.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::Install;
use crate::exit::Refused;
use crate::out::tell;
use crate::paths;
use crate::signals::Worker;

/// Below it lies what was built.
pub fn root() -> PathBuf {
    paths::out().join("tools")
}

/// Cargo's words for building `program`.
fn words(program: &str) -> Vec<String> {
    let root = root().display().to_string();
    let features: &[&str] = match program {
        // Not its server and what watches files for that, which are most of it.
        "mdbook" => &["--no-default-features", "--features", "search"],
        _ => &[],
    };
    let words = ["install", program, "--locked", "--root", &root];
    words
        .iter()
        .chain(features)
        .map(|&word| word.to_owned())
        .collect()
}

/// What to type to have `program`.
pub fn command(program: &str) -> String {
    format!("cargo {}", words(program).join(" "))
}

/// Builds `programs`, if that is wanted.
///
/// # Errors
/// [`Refused`] with the commands, when it is not wanted or fails.
pub fn install(programs: &[&str], install: Install) -> Result<()> {
    if install == Install::Never && !programs.is_empty() {
        let commands: Vec<String> = programs.iter().map(|program| command(program)).collect();
        return Err(Refused::tool_missing(format!(
            "to install what is missing, run:\n{}",
            commands.join("\n")
        )));
    }
    programs.iter().try_for_each(|program| build(program))
}

fn build(program: &str) -> Result<()> {
    let command = command(program);
    tell!("{command} (some minutes, once)");
    let mut cargo = Command::new("cargo");
    cargo.args(words(program));
    // Not in the tree: its settings for cargo are for kernels. And not where others may put settings, of which cargo takes those
    // of all folders above: only root writes here.
    cargo.current_dir("/").stdin(Stdio::null());
    let status = Worker::start(&mut cargo)
        .and_then(Worker::wait)
        .context("cannot run cargo")?;
    match status.success() {
        true => Ok(()),
        false => Err(Refused::tool_missing(format!("`{command}` failed"))),
    }
}
