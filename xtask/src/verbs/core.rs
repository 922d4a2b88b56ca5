//! `cargo xtask core`: an ELF core of a guest, for a debugger.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::build::Choice;
use super::qemu::MachineArgs;
use crate::exit::Exit;
use crate::kernel;
use crate::needs::{self, Install, Need};
use crate::out::tell;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::{self, Watch};

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
    /// The file to write.
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
        let needs = [Need::KernelRust, Need::Linker, Need::Qemu(self.choice.arch)];
        needs::ensure(&needs, install)?;
        let kernel = kernel::build(self.choice.flavour())?;
        let mut spec = self.machine.spec(&kernel)?;
        spec.append = format!("panic=0 {}", self.machine.append);
        let _ = std::fs::remove_file(&self.out);
        let watch = Watch {
            show: Show::Plain,
            input: Input::None,
            timeout: Some(Duration::from_secs(self.timeout)),
            after_ready: self.after_ready.map(Duration::from_secs),
            audit: None,
            resets: 0,
        };
        vm::run_to_core(&spec, watch, &self.out)?;
        if !self.out.exists() {
            return Ok(Exit::Failed);
        }
        tell!("cargo xtask open {}", self.out.display());
        Ok(Exit::Pass)
    }
}
