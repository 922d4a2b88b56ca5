//! `cargo xtask gdb`: a kernel under the debugger, with symbols.

use std::process::{Command, ExitStatus};
use std::sync::mpsc::channel;
use std::sync::{Arc, atomic::AtomicBool};
use std::thread;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use signal_hook::consts::SIGINT;

use super::build::Choice;
use super::qemu::{MachineArgs, free_port};
use crate::exit::Exit;
use crate::kernel;
use crate::kernel::elf::Elf;
use crate::needs::{self, Install, Need, tool};
use crate::paths;
use crate::vm::console::Show;
use crate::vm::input::Input;
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
}

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
        let mut gdb = self.command(&spec, port)?;
        // Ctrl-C is for gdb. It shares the terminal's process group with us, and we must outlive it.
        signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false)))
            .context("cannot catch Ctrl-C")?;
        let (sender, status) = channel();
        let watch = Watch {
            show: Show::Error,
            input: Input::None,
            timeout: None,
            after_ready: None,
            audit: None,
            resets: 0,
        };
        vm::run_with(&spec, watch, |events| {
            thread::spawn(move || {
                let _ = sender.send(gdb.status());
                let _ = events.send(Event::Quit);
            });
        })?;
        let status: ExitStatus = status.recv().context("gdb is lost")?.context("cannot run gdb")?;
        Ok(if status.success() {
            Exit::Pass
        } else {
            Exit::Failed
        })
    }

    fn command(&self, spec: &Spec<'_>, port: u16) -> Result<Command> {
        let gdb = tool::gdb_path().ok_or_else(|| anyhow!("no gdb"))?;
        let mut command = Command::new(gdb);
        command.args(["-q", "-nx"]).arg(&spec.kernel.elf.path);
        let architecture = format!("set architecture {}", self.choice.arch.gdb_name());
        let remote = format!("target remote 127.0.0.1:{port}");
        let script = paths::root().join("xtask/gdb/ss.py");
        let script = format!("source {}", script.display());
        let monitor = format!("set $ss_monitor = {:#x}", monitor(&spec.kernel.elf.read()?)?);
        // A guest that ends must not leave gdb asking.
        for line in [
            "set confirm off",
            "set pagination off",
            &architecture,
            &script,
            &monitor,
            &remote,
        ] {
            command.args(["-ex", line]);
        }
        if !self.batch.is_empty() {
            command.arg("-batch");
            for line in &self.batch {
                command.args(["-ex", line]);
            }
        }
        Ok(command)
    }
}

/// Where the monitor begins: the kernel has booted when it comes there.
fn monitor(elf: &[u8]) -> Result<u64> {
    let elf = Elf::parse(elf)?;
    let is_it =
        |name: &str| format!("{:#}", rustc_demangle::demangle(name)).starts_with("kernel::monitor::main");
    let found = elf.symbols.iter().find(|(name, _)| is_it(name));
    found.map(|(_, at)| *at).context("the kernel has no monitor")
}
