//! `cargo xtask test`: all that the README promises.

mod news;

use std::io::BufReader;
use std::num::NonZero;
use std::process::Stdio;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use self::news::{Lines, News};
use super::{build, matrix, scenario};
use crate::arch::Arch;
use crate::debugger::trials;
use crate::exit::Exit;
use crate::host::cargo as host_cargo;
use crate::matrix::{Came, cells};
use crate::needs::{self, Install, Need};
use crate::out::say;
use crate::signals::Worker;

/// Runs all tests: the host's, the check of UP kernels for SMP code, and the matrix.
///
/// The last line is `N passed, N failed`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask test              everything: some minutes on two cores
  cargo xtask test --debugger   cores and gdb only
  cargo xtask test --packages   the crates that others can use only
  cargo xtask test --host       unit tests, doc tests and models only")]
pub struct Test {
    /// Only what runs on the host: unit tests, doc tests, and models of the stop engine.
    #[arg(long)]
    host: bool,
    /// Only cores and the debugger: on every architecture, what gdb shows against what the machine's memory says.
    #[arg(long, conflicts_with = "host")]
    debugger: bool,
    /// Only the crates that others can use: their packages, built outside of this workspace and for bare metal.
    #[arg(long, conflicts_with_all = ["host", "debugger"])]
    packages: bool,
    /// How many small virtual machines run at once [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
}

/// Passed, failed, and not run because the machine lacks something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    const fn one(passed: bool) -> Self {
        Self {
            passed: passed as u64,
            failed: !passed as u64,
            skipped: 0,
        }
    }

    /// The last line, and before it what was left out.
    fn said(self) -> Exit {
        if self.skipped > 0 {
            say!("{} skipped: `skip` above names each, and why", self.skipped);
        }
        say!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 {
            Exit::Pass
        } else {
            Exit::Failed
        }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Test {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing. What fails is counted.
    pub fn run(self, install: Install) -> Result<Exit> {
        if self.packages {
            needs::ensure(&[Need::KernelRust, Need::Linker], install)?;
            return Ok(packages(install).said());
        }
        // A test of the host's looks at the report page.
        needs::ensure(&[Need::Browser], install)?;
        if !self.host {
            let mut needs = vec![Need::KernelRust, Need::Linker, Need::Gdb];
            needs.extend(Arch::ALL.map(Need::Qemu));
            if !self.debugger {
                needs.extend(cells::needs(&cells::all(false)));
            }
            needs::ensure(&needs, install)?;
        }
        if self.debugger {
            return Ok(debugger().said());
        }
        let mut tally = host("the host's tests", &[])?;
        tally += host("the same, with more than one CPU", &smp_features()?)?;
        for checker in ["loom", "shuttle"] {
            tally += host(
                &format!("the stop engine under {checker}"),
                &checked("smp-stop", checker),
            )?;
        }
        tally += host(
            "the trace's ring under loom",
            &checked("standstill-trace", "loom"),
        )?;
        if !self.host {
            tally += packages(install);
            tally += symbols();
            tally += debugger();
            tally += self.scenarios(install);
            tally += self.machines(install);
        }
        Ok(tally.said())
    }

    fn scenarios(&self, install: Install) -> Tally {
        heading("failures on purpose");
        match scenario::execute(scenario::short(), Vec::new(), self.jobs, install, false) {
            Ok(all) => {
                let failed = all.iter().filter(|played| played.wrong.is_some()).count() as u64;
                Tally {
                    passed: all.len() as u64 - failed,
                    failed,
                    skipped: 0,
                }
            }
            Err(error) => failed(&error),
        }
    }

    fn machines(&self, install: Install) -> Tally {
        heading("kernels on machines");
        match matrix::execute(cells::all(false), self.jobs, install, false) {
            Ok(all) => {
                let count = |what: fn(&Came) -> Option<&str>| {
                    all.iter().filter(|done| what(&done.came).is_some()).count() as u64
                };
                let (failed, skipped) = (count(Came::wrong), count(Came::skipped));
                Tally {
                    passed: all.len() as u64 - failed - skipped,
                    failed,
                    skipped,
                }
            }
            Err(error) => failed(&error),
        }
    }
}

fn heading(what: &str) {
    say!("\n== {what}");
}

fn failed(error: &anyhow::Error) -> Tally {
    say!("FAIL  {error:#}");
    Tally::one(false)
}

/// `cargo test` for what the host can run, with `more` arguments.
fn host(what: &str, more: &[String]) -> Result<Tally> {
    heading(what);
    let mut command = host_cargo()?;
    command
        .args(["test", "--no-fail-fast"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = Worker::start(&mut command).context("cannot run cargo")?;
    let lines = Lines(BufReader::new(child.stdout().context("cargo has no output")?));
    let (mut tally, mut news) = (Tally::default(), News::default());
    for line in lines.map_while(Result::ok) {
        if let Some(result) = result(&line) {
            tally += result;
        }
        if let Some(line) = is_news(&line).then(|| news.take(line)).flatten() {
            say!("{line}");
        }
    }
    news.rest().iter().for_each(|line| say!("{line}"));
    // A crate that does not build, or a test that takes its process down, leaves no line behind.
    if !child.wait()?.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// Arguments for a crate's models under a checker. Alone: the checker's atomics fit into no kernel.
fn checked(package: &str, checker: &str) -> Vec<String> {
    ["--package", package, "--features", checker, "--test", checker]
        .map(String::from)
        .into()
}

/// Arguments that turn the feature `smp` on in every host crate that has it.
fn smp_features() -> Result<Vec<String>> {
    let output = host_cargo()?
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata makes no sense")?;
    let has_smp = |package: &&Value| package["features"].get("smp").is_some();
    let is_host = |package: &&Value| {
        !package["manifest_path"]
            .as_str()
            .is_some_and(|path| path.contains("/arch/"))
    };
    let packages = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(has_smp)
        .filter(is_host);
    let names = packages.filter_map(|package| package["name"].as_str());
    Ok(names
        .flat_map(|name| {
            [
                "--package".into(),
                name.to_owned(),
                "--features".into(),
                format!("{name}/smp"),
            ]
        })
        .collect())
}

/// `test result: ok. 5 passed; 0 failed; ...`
fn result(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("test result: ")?;
    let count = |word: &str| {
        let before = counts.split_once(word)?.0;
        before
            .rsplit([' ', ';'])
            .find(|text| !text.is_empty())?
            .parse()
            .ok()
    };
    Some(Tally {
        passed: count(" passed")?,
        failed: count(" failed")?,
        // libtest calls them ignored, and says so itself.
        skipped: 0,
    })
}

/// Whether a line of libtest says more than that all is as it was.
fn is_news(line: &str) -> bool {
    let routine = line.is_empty()
        || line.starts_with("running ")
        || (line.starts_with("test ") && line.ends_with(" ok"));
    !routine
}

/// The crates that others can use.
fn packages(install: Install) -> Tally {
    heading("packages, outside of this workspace");
    let (passed, failed) = crate::packages::run(install);
    Tally {
        passed,
        failed,
        skipped: 0,
    }
}

/// Cores and gdb, on every architecture.
fn debugger() -> Tally {
    heading("cores and gdb");
    match trials::run() {
        Ok((passed, failed)) => Tally {
            passed,
            failed,
            skipped: 0,
        },
        Err(error) => failed(&error),
    }
}

/// Each UP kernel is free of code for more than one CPU.
fn symbols() -> Tally {
    heading("UP kernels without SMP code");
    let mut tally = Tally::default();
    for arch in Arch::ALL {
        tally += match build::compare(arch, false) {
            Ok(report) => {
                say!("{}  {report}", if report.is_clean() { "ok  " } else { "FAIL" });
                Tally::one(report.is_clean())
            }
            Err(error) => failed(&error),
        };
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(
            result(line),
            Some(Tally {
                passed: 12,
                failed: 3,
                skipped: 0
            })
        );
        assert_eq!(
            result("test result: ok. 0 passed; 0 failed; 0 ignored"),
            Some(Tally::default())
        );
        assert_eq!(result("test results_are_read ... ok"), None);
        assert_eq!(result("test result: nonsense"), None);
    }

    #[test]
    fn only_news_is_shown() {
        assert!(!is_news("test tests::results_are_read ... ok"));
        assert!(!is_news("running 3 tests"));
        assert!(is_news("test tests::results_are_read ... FAILED"));
        assert!(is_news("test result: ok. 1 passed; 0 failed"));
        assert!(is_news("thread panicked"));
    }
}
