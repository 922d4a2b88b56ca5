//! Asks QEMU whether there is such a machine, before anybody waits for a kernel to be built.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::smp::Smp;
use crate::arch::Arch;
use crate::exit::Refused;

/// For a machine to come and go: some tenths of a second, unless the host is very busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A machine in QEMU's words.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    pub arch: Arch,
    pub machine: &'a str,
    pub cpu: &'a str,
    pub smp: &'a Smp,
    pub memory: &'a str,
    /// More of QEMU's arguments.
    pub extra: &'a [OsString],
}

/// Starts the machine without a kernel, and ends it before its first instruction.
///
/// # Errors
/// [`Refused`] with QEMU's reason and the choices, when there is no such machine.
pub fn check(machine: Machine<'_>) -> Result<()> {
    let Machine {
        arch,
        machine,
        cpu,
        smp,
        memory,
        extra,
    } = machine;
    let cpus = smp.to_string();
    let mut command = Command::new(arch.qemu());
    command.args(["-M", machine, "-cpu", cpu, "-smp", &cpus, "-m", memory]);
    command.args([
        "-nodefaults",
        "-display",
        "none",
        "-S",
        "-accel",
        "tcg",
        "-monitor",
        "stdio",
    ]);
    command.args(extra);
    // Many CPUs are many threads.
    let patience = PATIENCE + Duration::from_millis(100) * smp.most();
    let output = run(&mut command, arch, QUIT, patience)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Refused::usage(format!("{said}{}", choices(arch, machine, &said))))
}

/// What could have been said instead of what QEMU does not know.
fn choices(arch: Arch, machine: &str, said: &str) -> String {
    let (what, args) = match said {
        _ if said.contains("CPU model") => ("CPUs", vec!["-M", machine, "-cpu", "help"]),
        _ if said.contains("machine type") => ("machines", vec!["-M", "help"]),
        _ => return String::new(),
    };
    let output = run(Command::new(arch.qemu()).args(args), arch, QUIT, PATIENCE);
    let text = output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    format!("\n{what}: {}", names(&text).join(" "))
}

/// The names in QEMU's lists: the first word of a line, or the second after `x86`, up to the first line that is blank.
fn names(list: &str) -> Vec<&str> {
    let lines = list.lines().skip(1).take_while(|line| !line.trim().is_empty());
    lines
        .filter_map(|line| line.split_whitespace().find(|word| *word != "x86"))
        .collect()
}

/// What ends it, said to the human monitor.
const QUIT: &[u8] = b"quit\n";

/// Runs QEMU to its end, which `words` to a monitor on its standard input bring about unless it comes sooner.
///
/// # Errors
/// When it does not start, or not end.
pub fn run(command: &mut Command, arch: Arch, words: &[u8], patience: Duration) -> Result<Output> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", arch.qemu()))?;
    if let Some(mut monitor) = child.stdin.take() {
        let _ = monitor.write_all(words); // it may be gone already
    }
    let id = rustix::process::Pid::from_child(&child);
    let (ended, end) = channel();
    let output = thread::spawn(move || {
        let _ = ended.send(child.wait_with_output());
    });
    let result = end.recv_timeout(patience);
    if result.is_err() {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
    let _ = output.join();
    result
        .with_context(|| format!("{} does not end", arch.qemu()))?
        .context("QEMU's output is lost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_list_are_read() {
        assert_eq!(
            names("Available CPUs:\nx86 486    (alias)\nx86 max  Enables\n\nRecognized CPUID flags:\n fpu"),
            ["486", "max"]
        );
        assert_eq!(
            names("Supported machines are:\nvirt  QEMU 7.2\nnone  empty machine\n"),
            ["virt", "none"]
        );
        assert!(names("").is_empty());
    }
}
