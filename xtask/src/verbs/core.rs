//! `cargo xtask core`: an ELF core of a guest, for a debugger.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::build::Choice;
use super::machine::MachineArgs;
use crate::exit::Exit;
use crate::needs::{self, Install};
use crate::out::tell;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::{self, Watch};
use crate::{file, kernel};

/// Boots a kernel, and writes an ELF core of it when it has come to its end: after a panic, or when the time is over.
///
/// The core has the kernel's memory at the kernel's addresses, and a thread for each CPU: with the registers that the kernel
/// saved where it stopped by itself, else as QEMU shows them. `panic=0` stands before `--append`, so that the machine stays.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask core --arch aarch64 --smp 4 --append run=panic --out vmcore
  cargo xtask core --arch x86_64 --after-ready 1 --append 'run=\"busy 1-3\"' --out vmcore   # of a kernel that runs
  cargo xtask open vmcore --batch 'thread apply all bt' --batch 'ss trace'
  gdb-multiarch target/standstill/aarch64-smp-debug/standstill.elf vmcore -ex 'thread apply all bt'")]
pub struct Core {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    machine: MachineArgs,
    /// The file to write. What has the name already is replaced when the core is whole, and not before.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Seconds after which the core is written in any case.
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Write the core so many seconds after the kernel is ready, whatever it does then.
    #[arg(long, value_name = "S")]
    after_ready: Option<u64>,
}

impl Core {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing, does not build, or does not exist.
    pub fn run(self, install: Install) -> Result<Exit> {
        self.machine.check(self.choice.arch)?;
        file::check("--out", &self.out)?;
        needs::ensure(&self.machine.needs(self.choice.arch), install)?;
        self.machine.probe(self.choice.arch)?;
        let kernel = kernel::build(self.choice.flavour())?;
        let mut spec = self.machine.spec(&kernel)?;
        spec.append = format!("panic=0 {}", self.machine.append);
        let watch = Watch {
            show: Show::Plain,
            input: Input::None,
            timeout: Some(Duration::from_secs(self.timeout)),
            after_ready: self.after_ready.map(Duration::from_secs),
            audit: None,
            resets: 0,
        };
        if !vm::run_to_core(&spec, watch, &self.out)?.has_core {
            return Ok(Exit::Failed);
        }
        tell!("cargo xtask open {}", self.out.display());
        Ok(Exit::Pass)
    }
}
