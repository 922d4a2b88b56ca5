//! `cargo xtask open`: gdb on a core, with the kernel that it is of.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::machine::readable;
use crate::debugger::{self, Target};
use crate::exit::{Exit, Refused};
use crate::guest::core::Core;
use crate::kernel::elf::Elf;
use crate::needs::{self, Install, Need};
use crate::out::tell;
use crate::{paths, signals};

/// Opens a core of `cargo xtask core` in gdb, with the symbols of the kernel that it is of.
///
/// That kernel is found by its build id among those that were built here, or named by `--elf`. One of another build is refused.
/// `help ss` lists the commands for Standstill: they read the CPUs, the log, the trace and the stop report from the core.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask open vmcore
  cargo xtask open vmcore --batch 'ss cpus' --batch 'thread apply all bt'
  cargo xtask open vmcore --elf standstill-of-last-week.elf")]
pub struct Open {
    /// The core.
    #[arg(value_name = "CORE")]
    core: PathBuf,
    /// The kernel's ELF file [default: the one of the core's build under target/standstill]
    #[arg(long, value_name = "FILE")]
    elf: Option<PathBuf>,
    /// Run this command of gdb and end, instead of asking you. May be given more than once.
    #[arg(long, value_name = "CMD")]
    batch: Vec<String>,
}

impl Open {
    /// Runs the verb.
    ///
    /// # Errors
    /// When there is no gdb, no core, or no kernel of its build.
    pub fn run(self, install: Install) -> Result<Exit> {
        readable("the core", &self.core)?;
        let core = Core::open(&self.core).map_err(|error| Refused::usage(format!("{error:#}")))?;
        let arch = core.arch()?;
        let build = core
            .build_id()
            .map_err(|error| Refused::usage(format!("{}: {error:#}", self.core.display())))?;
        let elf = match &self.elf {
            Some(elf) => checked(&self.core, &build, readable("--elf", elf)?)?,
            None => {
                built(&paths::out(), &build).ok_or_else(|| Refused::usage(missing(&self.core, &build)))?
            }
        };
        needs::ensure(&[Need::Gdb], install)?;
        tell!(
            "{}: {arch}, build {build}: {}",
            self.core.display(),
            paths::shown(&elf)
        );
        let mut gdb = debugger::command(arch, &elf, Target::Core(&self.core), &self.batch)?;
        signals::lend_terminal();
        let status = gdb.status().context("cannot run gdb")?;
        Ok(if status.success() {
            Exit::Pass
        } else {
            Exit::Failed
        })
    }
}

fn build_of(elf: &Path) -> Result<String> {
    let bytes = std::fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let id = Elf::parse(&bytes)?.build_id;
    id.context("it has no build id")
}

/// `elf`, if it is of this build.
fn checked(core: &Path, build: &str, elf: PathBuf) -> Result<PathBuf> {
    let own = build_of(&elf).map_err(|error| Refused::usage(format!("{}: {error:#}", elf.display())))?;
    if own == build {
        return Ok(elf);
    }
    Err(Refused::usage(format!(
        "{} is of build {build}, the ELF file {} is build {own}",
        core.display(),
        elf.display()
    )))
}

/// The kernel of this build among those below `dir`.
fn built(dir: &Path, build: &str) -> Option<PathBuf> {
    let dirs = std::fs::read_dir(dir).ok()?;
    let elfs = dirs.filter_map(|dir| Some(dir.ok()?.path().join("standstill.elf")));
    elfs.filter(|elf| elf.is_file())
        .find(|elf| build_of(elf).is_ok_and(|own| own == build))
}

fn missing(core: &Path, build: &str) -> String {
    format!(
        "{} is of build {build}, and no kernel under {} is: name its ELF file with --elf, or build it again",
        core.display(),
        paths::shown(&paths::out())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_of_another_build_is_refused_by_name() {
        let own = std::env::current_exe().unwrap();
        let Ok(build) = build_of(&own) else {
            return; // a linker that gives no ids to programs of the host: nothing to compare
        };
        let core = Path::new("vmcore");
        assert_eq!(checked(core, &build, own.clone()).unwrap(), own);
        let error = checked(core, "0123", own).unwrap_err().to_string();
        assert!(
            error.contains("vmcore is of build 0123, the ELF file "),
            "{error}"
        );
        assert!(error.contains(&build), "{error}");
    }

    #[test]
    fn what_is_no_kernel_is_refused() {
        let error = checked(Path::new("vmcore"), "0123", paths::root().join("Cargo.toml")).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
        assert_eq!(built(Path::new("/nowhere"), "0123"), None);
    }
}
