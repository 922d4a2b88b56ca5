//! Debian's packages.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::tool;
use crate::exit::Refused;
use crate::progress::Spinner;

/// An installation that could be run.
pub struct Plan {
    packages: Vec<String>,
    update: bool,
    root: bool,
    sudo: bool,
}

/// What to run to get `packages`; `None` where there is no apt-get.
pub fn plan(packages: &[&str]) -> Option<Plan> {
    tool::on_path("apt-get")?;
    Some(Plan {
        packages: packages.iter().map(|&name| name.to_owned()).collect(),
        update: !packages.iter().all(|name| has_candidate(name)),
        root: rustix::process::geteuid().is_root(),
        sudo: tool::on_path("sudo").is_some(),
    })
}

/// Whether the package lists that are here know `package`. Where they do not, they are empty or too old.
fn has_candidate(package: &str) -> bool {
    let output = Command::new("apt-cache")
        .args(["policy", package])
        .env("LC_ALL", "C")
        .output();
    output.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .any(|line| line.trim_start().starts_with("Candidate:") && !line.contains("(none)"))
    })
}

impl Plan {
    /// Whether another user's rights are needed.
    pub fn needs_sudo(&self) -> bool {
        !self.root
    }

    /// Whether there is a way to them.
    pub fn has_sudo(&self) -> bool {
        self.sudo
    }

    fn lines(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        if self.update {
            lines.push(self.line(&["apt-get", "update"]));
        }
        let mut install = self.line(&["apt-get", "install", "--yes", "--no-install-recommends"]);
        install.extend(self.packages.iter().cloned());
        lines.push(install);
        lines
    }

    fn line(&self, words: &[&str]) -> Vec<String> {
        let sudo = self.needs_sudo().then_some("sudo");
        sudo.iter().chain(words).map(|&word| word.to_owned()).collect()
    }

    /// The exact commands, one a line.
    pub fn commands(&self) -> String {
        self.lines()
            .iter()
            .map(|words| words.join(" "))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Runs them, with progress.
    ///
    /// # Errors
    /// [`Refused`] with the last lines apt-get said.
    pub fn run(mut self) -> Result<()> {
        if self.needs_sudo() && !self.has_sudo() {
            return Err(Refused::tool_missing(format!(
                "neither root nor sudo; as root, run:\n{}",
                self.commands()
            )));
        }
        if self.needs_sudo() {
            // Lets it ask for its password before a moving line takes the terminal.
            let _ = Command::new("sudo").arg("--validate").status();
        }
        if let Err(error) = self.run_lines() {
            if self.update {
                return Err(error);
            }
            // Lists that know the package but name a version the mirror no longer has.
            self.update = true;
            return self.run_lines();
        }
        Ok(())
    }

    fn run_lines(&self) -> Result<()> {
        self.lines().iter().try_for_each(|words| run(words))
    }
}

fn run(words: &[String]) -> Result<()> {
    let spinner = Spinner::start(&words.join(" "));
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::inherit()) // sudo asks there
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", words[0]))?;
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            spinner.say(&line);
            said.push(line);
        }
    }
    if child.wait()?.success() {
        return Ok(());
    }
    let tail = said[said.len().saturating_sub(5)..].join("\n");
    Err(Refused::tool_missing(format!(
        "`{}` failed:\n{tail}",
        words.join(" ")
    )))
}
