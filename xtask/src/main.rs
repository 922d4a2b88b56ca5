//! Everything a person or a CI job types: `cargo xtask VERB`.

mod arch;
mod audit;
mod bench;
mod book;
mod checkout;
mod death;
mod debugger;
mod disk;
#[cfg(test)]
mod editor;
mod exit;
mod file;
mod guest;
mod host;
mod kernel;
#[cfg(test)]
mod launcher;
mod links;
mod matrix;
mod needs;
mod out;
mod packages;
mod paths;
mod progress;
mod report;
mod scenario;
mod signals;
mod soak;
mod verbs;
mod vm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::needs::Install;
use crate::out::tell;

/// Builds, boots and tests Standstill.
///
/// Each verb finds out what it needs from the machine, says what is missing and installs it: with apt-get as root,
/// through sudo after asking. After that it works without a network.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = exit::TABLE, infer_subcommands = false)]
struct Cli {
    /// Install nothing: print the commands that would, and exit with 3.
    #[arg(long, global = true, conflicts_with = "yes", help_heading = "Set-up")]
    no_install: bool,
    /// Install through sudo without asking.
    #[arg(long, global = true, help_heading = "Set-up")]
    yes: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Qemu(verbs::qemu::Qemu),
    Build(verbs::build::Build),
    Image(verbs::image::Image),
    Test(verbs::test::Test),
    Matrix(verbs::matrix::Matrix),
    Scenario(verbs::scenario::Verb),
    Check(verbs::check::Check),
    Gdb(verbs::gdb::Gdb),
    Core(verbs::core::Core),
    Open(verbs::open::Open),
    Bench(verbs::bench::Bench),
    Soak(verbs::soak::Soak),
    Report(verbs::report::Report),
    Docs(verbs::docs::Docs),
    Doctor(verbs::doctor::Doctor),
    Setup(verbs::doctor::Setup),
}

fn run(cli: Cli) -> Result<Exit> {
    let install = match (cli.no_install, cli.yes) {
        (true, _) => Install::Never,
        (_, true) => Install::Yes,
        _ => Install::Ask,
    };
    match cli.verb {
        Verb::Qemu(qemu) => qemu.run(install),
        Verb::Build(build) => build.run(install),
        Verb::Image(image) => image.run(install),
        Verb::Test(test) => test.run(install),
        Verb::Matrix(matrix) => matrix.run(install),
        Verb::Scenario(scenario) => scenario.run(install),
        Verb::Check(check) => check.run(install),
        Verb::Gdb(gdb) => gdb.run(install),
        Verb::Core(core) => core.run(install),
        Verb::Open(open) => open.run(install),
        Verb::Bench(bench) => bench.run(install),
        Verb::Soak(soak) => soak.run(install),
        Verb::Report(report) => report.run(install),
        Verb::Docs(docs) => docs.run(install),
        Verb::Doctor(doctor) => doctor.run(),
        Verb::Setup(setup) => setup.run(install),
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return explained(&said).into(),
    };
    let ran = paths::ensure_root()
        .and_then(|()| checkout::settle())
        .and_then(|()| run(cli));
    let exit = ran.unwrap_or_else(|error| {
        tell!("error: {error:#}");
        exit::of_error(&error)
    });
    heard(exit).into()
}

/// Prints clap's help, or its refusal.
fn explained(said: &clap::Error) -> Exit {
    let is_lost = out::note("the text", said.print());
    match said.use_stderr() {
        true => Exit::Usage,
        false if is_lost => heard(Exit::Pass),
        false => Exit::Pass,
    }
}

/// Nothing passes whose words were lost.
fn heard(exit: Exit) -> Exit {
    match (exit, out::lost()) {
        (Exit::Pass, Some(lost)) => {
            tell!("error: {lost}");
            Exit::Failed
        }
        _ => exit,
    }
}
