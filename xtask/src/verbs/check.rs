//! `cargo xtask check`: the gate that a change passes before it is anybody's.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Args;

use crate::arch::Arch;
use crate::exit::Exit;
use crate::kernel::{self, Flavour, loader};
use crate::needs::rust::{self, Toolchain};
use crate::needs::{self, Install, Need};
use crate::out::say;
use crate::signals::Worker;
use crate::{out, paths};

/// Checks formatting, lints and documentation, for the host and for every kernel. Any warning is an error.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask check                everything, to the end, whatever fails
  cargo xtask check fmt clippy     only steps with these words in their names")]
pub struct Check {
    /// Only steps with one of these in their names.
    pub steps: Vec<String>,
}

/// The documentation is for those who work on the code: private items are in it, and may be linked to.
const DOC_FLAGS: &str = "-Dwarnings -Arustdoc::private_intra_doc_links";

/// A step: its name, and what to run.
type Step = (String, Command);

impl Check {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing.
    pub fn run(self, install: Install) -> Result<Exit> {
        needs::ensure(
            &[Need::KernelRust, Need::Linker, Need::Clippy, Need::Rustfmt],
            install,
        )?;
        let mut steps = steps()?;
        steps.retain(|(name, _)| self.steps.is_empty() || self.steps.iter().any(|word| name.contains(word)));
        let mut failed = 0;
        for (name, command) in &mut steps {
            failed += u32::from(!passes(name, command)?);
        }
        say!("{} passed, {failed} failed", steps.len() - failed as usize);
        Ok(if failed == 0 { Exit::Pass } else { Exit::Failed })
    }
}

fn steps() -> Result<Vec<Step>> {
    let rust = rust::linting().ok_or_else(|| anyhow!("no Rust that can lint a kernel"))?;
    let mut steps = vec![
        ("fmt".to_owned(), fmt(&rust)?),
        ("fmt launcher".to_owned(), of_launcher(fmt(&rust)?)),
        ("clippy launcher".to_owned(), launcher_clippy(&rust)),
    ];
    for smp in [false, true] {
        steps.push((format!("clippy host {}", build(smp)), host_clippy(&rust, smp)));
    }
    for arch in Arch::ALL {
        for smp in [false, true] {
            steps.push((
                format!("clippy {arch} {}", build(smp)),
                kernel_step(unoptimised(arch, smp), "clippy")?,
            ));
        }
    }
    for arch in Arch::ALL {
        let mut loader = loader::cargo(arch, "clippy", &paths::kernel_target())?;
        loader.args(["--", "-Dwarnings"]);
        steps.push((format!("clippy loader {arch}"), loader));
    }
    let faults = Flavour {
        faults: true,
        ..unoptimised(Arch::X86_64, true)
    };
    steps.push(("clippy faults".to_owned(), kernel_step(faults, "clippy")?));
    steps.push(("doc host".to_owned(), host_doc(&rust)));
    for arch in Arch::ALL {
        steps.push((
            format!("doc {arch}"),
            kernel_step(unoptimised(arch, true), "doc")?,
        ));
    }
    Ok(steps)
}

const fn unoptimised(arch: Arch, smp: bool) -> Flavour {
    Flavour {
        arch,
        smp,
        release: false,
        faults: false,
    }
}

const fn build(smp: bool) -> &'static str {
    if smp { "smp" } else { "up" }
}

/// The kernels' toolchain may come without a formatter; the others' will do.
fn fmt(rust: &Toolchain) -> Result<Command> {
    let own = rust.sibling("cargo-fmt").map(|_| rust.clone());
    let rust = own.or_else(rust::active).context("no toolchain with cargo fmt")?;
    let mut command = rust.command("cargo-fmt");
    command
        .current_dir(paths::root())
        .args(["fmt", "--all", "--check"]);
    Ok(command)
}

/// The launcher is a workspace of its own.
fn of_launcher(mut command: Command) -> Command {
    command.args(["--manifest-path", "xtask/launcher/Cargo.toml"]);
    command
}

/// By the launcher's `rust-version`, clippy tells which of the standard library's functions are too new for it.
fn launcher_clippy(rust: &Toolchain) -> Command {
    let mut command = of_launcher(host(rust, "cargo-clippy", "clippy"));
    command.args(["--all-targets", "--", "-Dwarnings"]);
    command
}

/// For what the host runs. The same toolchain as for the kernels, so that both have the same lints.
fn host(rust: &Toolchain, program: &str, verb: &str) -> Command {
    let mut command = rust.command(program);
    command
        .current_dir(paths::root())
        .arg(verb)
        .env("CARGO_TARGET_DIR", paths::kernel_target());
    command
}

fn host_clippy(rust: &Toolchain, smp: bool) -> Command {
    let mut command = host(rust, "cargo-clippy", "clippy");
    command.arg("--all-targets");
    if smp {
        command.args([
            "--package",
            "kernel",
            "--package",
            "standstill-percpu",
            "--features",
            "kernel/smp,standstill-percpu/smp",
        ]);
    }
    command.args(["--", "-Dwarnings"]);
    command
}

fn host_doc(rust: &Toolchain) -> Command {
    let mut command = host(rust, "cargo", "doc");
    command
        .args(["--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", DOC_FLAGS);
    command
}

fn kernel_step(flavour: Flavour, verb: &str) -> Result<Command> {
    let mut command = kernel::cargo(flavour.arch, verb, &paths::kernel_target())?;
    kernel::choose(&mut command, flavour);
    if verb == "clippy" {
        command.args(["--", "-Dwarnings"]);
    } else {
        command
            .args(["--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", DOC_FLAGS);
    }
    Ok(command)
}

/// Runs a step. What it says is shown only if it fails.
fn passes(name: &str, command: &mut Command) -> Result<bool> {
    let started = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = Worker::start(command)
        .and_then(Worker::output)
        .with_context(|| format!("cannot run {name}"))?;
    let passed = output.status.success();
    say!(
        "{} {name:<20} {:6.1} s",
        if passed { "ok  " } else { "FAIL" },
        started.elapsed().as_secs_f32()
    );
    if !passed {
        out::note("standard output", io::stdout().write_all(&output.stdout));
        out::note("standard error", io::stderr().write_all(&output.stderr));
    }
    Ok(passed)
}
