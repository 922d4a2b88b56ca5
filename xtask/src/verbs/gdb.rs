//! `cargo xtask gdb`: a kernel under the debugger, with symbols.

use std::process::ExitStatus;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use super::build::Choice;
use super::machine::MachineArgs;
use super::qemu::free_port;
use crate::debugger::{self, Target};
use crate::exit::Exit;
use crate::kernel;
use crate::needs::{self, Install, Need};
use crate::signals;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::spec::Spec;
use crate::vm::{self, Event, Watch};

/// Boots a kernel under gdb: stopped before its first instruction, with symbols, a thread for each CPU.
///
/// The console goes to standard error. The machine ends when gdb does. The commands `ss cpus`, `ss log`, `ss trace`,
/// `ss stop-report` and `ss percpu VAR CPU` read the kernel's memory; they run a kernel that has not booted yet up to its monitor
/// (`ss boot`).
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask gdb --arch x86_64
  cargo xtask gdb --arch i386 --smp 2 --batch 'ss cpus'
  cargo xtask gdb --arch aarch64 --batch 'hbreak rust_begin_unwind' --batch continue --batch 'thread apply all bt' \\
      --append run=panic")]
pub struct Gdb {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    machine: MachineArgs,
    /// Run this command of gdb and end, instead of asking you. May be given more than once.
    #[arg(long, value_name = "CMD")]
    batch: Vec<String>,
    /// With --batch: seconds after which the machine is taken away [default: 300]
    #[arg(long, value_name = "S", requires = "batch", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
}

/// For commands that nobody watches.
const TIMEOUT: u64 = 300;

impl Gdb {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing or does not build, or gdb does not run.
    pub fn run(self, install: Install) -> Result<Exit> {
        self.machine.check(self.choice.arch)?;
        let mut needs = self.machine.needs(self.choice.arch);
        needs.push(Need::Gdb);
        needs::ensure(&needs, install)?;
        self.machine.probe(self.choice.arch)?;
        let kernel = kernel::build(self.choice.flavour())?;
        let port = free_port()?;
        let spec = Spec {
            gdb: Some(port),
            ..self.machine.spec(&kernel)?
        };
        let mut gdb = debugger::command(
            self.choice.arch,
            &spec.kernel.elf.path,
            Target::Port(port),
            &self.batch,
        )?;
        signals::lend_terminal();
        let (sender, status) = channel();
        let watch = Watch {
            show: Show::Error,
            input: Input::None,
            timeout: (!self.batch.is_empty()).then(|| Duration::from_secs(self.timeout.unwrap_or(TIMEOUT))),
            after_ready: None,
            audit: None,
            resets: 0,
        };
        let outcome = vm::run_with(&spec, watch, |events| {
            thread::spawn(move || {
                let _ = sender.send(gdb.status());
                let _ = events.send(Event::Quit);
            });
        })?;
        let status: ExitStatus = status.recv().context("gdb is lost")?.context("cannot run gdb")?;
        Ok(if outcome.end == End::Timeout {
            Exit::Timeout
        } else if status.success() {
            Exit::Pass
        } else {
            Exit::Failed
        })
    }
}
