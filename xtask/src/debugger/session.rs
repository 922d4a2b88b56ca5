//! A core that is written to be looked at, and gdb looking.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::answers::{self, Answers};
use super::expect::Facts;
use super::{Target, command};
use crate::arch::Arch;
use crate::guest::core::Core;
use crate::kernel::Kernel;
use crate::kernel::elf::Elf;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::spec::Spec;
use crate::vm::{self, Watch};

/// For a boot, or a session of gdb, on a host that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);
/// Of machines with SMP kernels.
pub const CPUS: u32 = 4;

/// A core that was written, and what stood on the console.
pub struct Written {
    pub path: PathBuf,
    elf: Elf,
    elf_path: PathBuf,
    arch: Arch,
    pub console: String,
}

/// Boots `kernel` and writes a core of it, once it has come to its end or `after` it is ready.
///
/// # Errors
/// When QEMU does not start.
pub fn boot(dir: &Path, kernel: &Kernel, append: &str, after: Option<Duration>) -> Result<Written> {
    let path = dir.join(format!("{}.core", kernel.flavour.arch));
    let _ = std::fs::remove_file(&path);
    let cpus = if kernel.flavour.smp { CPUS } else { 1 };
    let spec = Spec {
        memory: "64".into(),
        ..Spec::usual(kernel, cpus, format!("panic=0 {append}"))
    };
    let watch = Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(PATIENCE),
        after_ready: after,
        audit: None,
        resets: 0,
    };
    let outcome = vm::run_to_core(&spec, watch, &path)?;
    Ok(Written {
        path,
        elf: Elf::parse(&kernel.elf.read()?)?,
        elf_path: kernel.elf.path.clone(),
        arch: kernel.flavour.arch,
        console: outcome.text,
    })
}

impl Written {
    /// What its memory says.
    ///
    /// # Errors
    /// When there is no core, or it lacks that.
    pub fn facts(&self) -> Result<Facts> {
        ensure!(self.path.is_file(), "there is no core:\n{}", self.console);
        let core = Core::open(&self.path)?;
        ensure!(core.arch()? == self.arch, "the core is of another architecture");
        Facts::read(&core, &self.elf, &self.console)
    }

    /// What gdb says.
    ///
    /// # Errors
    /// When there is none.
    pub fn ask(&self, cpus: u32) -> Result<Answers> {
        let script = answers::script(cpus);
        let gdb = command(self.arch, &self.elf_path, Target::Core(&self.path), &script)?;
        Ok(Answers::of(&output(gdb)?))
    }

    /// What gdb prints at one command.
    ///
    /// # Errors
    /// When there is none.
    pub fn say(&self, line: &str) -> Result<String> {
        let gdb = command(
            self.arch,
            &self.elf_path,
            Target::Core(&self.path),
            &[line.to_owned()],
        )?;
        output(gdb)
    }

    /// Both, which must agree.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self) -> Result<Facts> {
        let facts = self.facts()?;
        satisfied(&facts.judge(&self.ask(facts.cpus)?))?;
        Ok(facts)
    }
}

/// Fails if anything is `wrong`.
///
/// # Errors
/// All of it.
pub fn satisfied(wrong: &[String]) -> Result<()> {
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// All that `command` writes, in order. It is killed when it takes too long.
///
/// # Errors
/// When it does not start, or not end.
pub fn output(mut command: Command) -> Result<String> {
    let (mut reader, writer) = std::io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn().context("cannot run it")?;
    // It has the writing ends, too.
    drop(command);
    let (sender, text) = channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = reader.read_to_end(&mut text);
        let _ = sender.send(text);
    });
    let text = text.recv_timeout(PATIENCE);
    if text.is_err() {
        child.kill()?;
    }
    child.wait()?;
    let text = text.context("it did not end in time")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_come_in_order_and_a_failure_to_start_is_told() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo one; echo two >&2; echo three"]);
        assert_eq!(output(shell).unwrap(), "one\ntwo\nthree\n");
        assert!(output(Command::new("/nowhere")).is_err());
    }
}
