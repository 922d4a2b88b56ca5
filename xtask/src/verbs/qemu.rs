//! `cargo xtask qemu`: builds, boots, connects the console, judges the end.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::build::Choice;
use super::machine::MachineArgs;
use crate::audit::Honesty;
use crate::exit::Exit;
use crate::kernel;
use crate::needs::{self, Install};
use crate::out::tell;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::spec::Spec;
use crate::vm::terminal::is_interactive;
use crate::vm::{self, Outcome, Watch};
use crate::{file, out, paths, report};

/// Without a person at the terminal, a run that does not end is an error.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Builds a kernel, boots it in QEMU and connects you to its serial console.
///
/// On a terminal every key goes to the guest; Ctrl-A x ends the run. Otherwise standard input is passed on once the
/// kernel is ready, and its end is not the end of the run. Backtraces come out with functions and lines. Where the output cannot
/// be written, the run goes on all the same, and its end counts. All that follows `--` goes to QEMU.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask qemu --arch x86_64
  cargo xtask qemu --arch aarch64 --smp 128 --append 'run=cpus;poweroff'
  cargo xtask qemu --arch aarch64 --machine gic-version=2,secure=on
  cargo xtask qemu --arch i386 --up --cpu pentium
  cargo xtask qemu --arch i386 --smp 8 --append run=panic --expect panic
  cargo xtask qemu --arch x86_64 --smp 6,sockets=2,cores=3 --append 'run=cpus;poweroff' -- -device pci-testdev
  cargo xtask qemu --arch i386 --up --efi --append 'run=cpus;poweroff'
  cargo xtask qemu --arch x86_64 --resets 1 --append 'reboot=kbd \"run=first reboot;cpus;poweroff\"'
  cargo xtask qemu --arch x86_64 --smp 8 --expect panic --append 'run=\"busy all;panic\"' --report out.html
  echo 'cpus
  poweroff' | cargo xtask qemu --arch x86_64

`cargo xtask --help` has the exit codes.")]
pub struct Qemu {
    #[command(flatten)]
    pub choice: Choice,
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Seconds until the run is ended [default: 120, on a terminal none]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// How the run shall end. Any other end has an exit code of its own. Without this, any end in good order passes: a
    /// power-off, a reboot or a halt that the kernel announced.
    #[arg(long, value_enum, value_name = "END")]
    expect: Option<End>,
    /// Once the kernel has stopped all CPUs and stays (as it is told to: panic=0), hold its report against the machine.
    #[arg(long, conflicts_with = "gdb")]
    audit: bool,
    /// Negative control: make the report lie before the audit, which must find out.
    #[arg(long, requires = "audit")]
    lie: bool,
    /// How many resets that the kernel announces are followed by another boot. The next one ends the run.
    #[arg(long, value_name = "N", default_value_t = 0)]
    resets: u32,
    /// Wait for gdb before the first instruction, and print how to start it: on this port, or on one that is free.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    pub gdb: Option<u16>,
    #[command(flatten)]
    report: report::Out,
    /// Write what the CPUs did as JSON for Perfetto and Chrome's trace viewer.
    #[arg(long, value_name = "FILE")]
    trace_json: Option<PathBuf>,
    /// Print one JSON object about the run to standard output, and the console to standard error.
    #[arg(long)]
    json: bool,
}

impl Qemu {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing, does not build, or does not exist.
    pub fn run(self, install: Install) -> Result<Exit> {
        self.machine.check(self.choice.arch)?;
        self.report.prepare()?;
        file::check_any("--trace-json", self.trace_json.as_deref())?;
        needs::ensure(&self.machine.needs(self.choice.arch), install)?;
        self.machine.probe(self.choice.arch)?;
        let kernel = kernel::build(self.choice.flavour())?;
        let mut spec = self.machine.spec(&kernel)?;
        if self.audit {
            spec.append = format!("panic=0 {}", self.machine.append);
        }
        if let Some(port) = self.gdb {
            spec.gdb = Some(if port == 0 { free_port()? } else { port });
            announce_gdb(&spec);
        }
        if self.watch().input == Input::Terminal {
            tell!("Ctrl-A x ends the run.");
        }
        if self.trace_json.is_some() {
            report::want();
        }
        let outcome = vm::run(&spec, self.watch())?;
        let exit = self.report(&spec, &outcome);
        self.write(&spec, &outcome, exit)?;
        Ok(exit)
    }

    fn watch(&self) -> Watch {
        let terminal = is_interactive() && !self.json;
        let show = match (self.json, terminal) {
            (true, _) => Show::Error,
            (_, true) => Show::Terminal,
            _ => Show::Plain,
        };
        let input = if terminal { Input::Terminal } else { Input::Pipe };
        let default = (!terminal && self.gdb.is_none()).then_some(TIMEOUT);
        Watch {
            show,
            input,
            timeout: self.timeout.map(Duration::from_secs).or(default),
            after_ready: None,
            audit: self
                .audit
                .then_some(if self.lie { Honesty::Lie } else { Honesty::Honest }),
            resets: self.resets,
        }
    }

    /// Whether there was nothing that could be audited.
    fn is_without_audit(&self, outcome: &Outcome) -> bool {
        self.audit && outcome.audit.is_none()
    }

    /// The page and the trace, if they were asked for.
    fn write(&self, spec: &Spec<'_>, outcome: &Outcome, exit: Exit) -> Result<()> {
        let machine = format!("{}, {} CPUs", spec.kernel.flavour, spec.cpus);
        self.report
            .write(|| page(&machine, &spec.append, outcome, exit == Exit::Pass))?;
        match (&self.trace_json, &outcome.story) {
            (Some(file), Some(story)) => report::perfetto::write(file, story),
            (Some(_), None) => anyhow::bail!("no CPU's trace could be read from this machine"),
            (None, _) => Ok(()),
        }
    }

    fn report(&self, spec: &Spec<'_>, outcome: &Outcome) -> Exit {
        let ended = outcome.end;
        let exit = match self.expect.map_or(ended.exit(), |expect| ended.exit_for(expect)) {
            Exit::Pass if self.is_without_audit(outcome) => Exit::WrongEnd,
            exit => exit,
        };
        let exit = match self.json {
            true => unless_lost(out::data(&to_json(spec, outcome, exit).to_string()), exit),
            false => exit,
        };
        if outcome.end == End::Quit {
            tell!(); // the guest's prompt still stands on the line
        }
        if exit != Exit::Pass {
            let why = match outcome.detail.as_str() {
                "" if self.is_without_audit(outcome) => NO_AUDIT,
                detail => detail,
            };
            let detail = match why {
                "" => String::new(),
                why => format!(" ({why})"),
            };
            tell!(
                "xtask: {}{detail} after {:.1} s",
                outcome.end.describe(),
                outcome.wall.as_secs_f32()
            );
        }
        exit
    }
}

/// Why a run that ended in good order fails with `--audit`.
const NO_AUDIT: &str = "nothing was audited, because the machine is gone: --audit is for one that stays, as after a panic with \
    panic=0 or after a halt";

/// A run whose result was lost did not pass, however it ended.
fn unless_lost(written: Result<()>, exit: Exit) -> Exit {
    match written {
        Err(error) => {
            tell!("error: {error:#}");
            if exit == Exit::Pass { Exit::Failed } else { exit }
        }
        Ok(()) => exit,
    }
}

/// The page of one run.
pub fn page(machine: &str, append: &str, outcome: &Outcome, passed: bool) -> report::Page {
    let wrong = (!passed).then(|| format!("{} {}", outcome.end.describe(), outcome.detail));
    let run = report::Run::of(
        format!("{machine}, {append}"),
        Some(outcome),
        wrong.as_deref().map(str::trim),
    );
    let run = report::Run {
        console: outcome.text.clone(),
        ..run.again(report::page::typed(), None)
    };
    report::Page {
        runs: vec![run],
        ..report::Page::new(format!("Standstill: {machine}"))
    }
}

/// A run as a machine reads it.
pub fn to_json(spec: &Spec<'_>, outcome: &Outcome, exit: Exit) -> serde_json::Value {
    json!({
        "arch": spec.kernel.flavour.arch,
        "build": spec.kernel.flavour.build(),
        "release": spec.kernel.flavour.release,
        "machine": spec.machine,
        "cpu": spec.cpu,
        "boot": spec.boot,
        "cpus": spec.cpus,
        "topology": spec.topology,
        "extra": spec.extra.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
        "append": spec.append,
        "end": outcome.end,
        "detail": outcome.detail,
        "death": outcome.death,
        "code": exit,
        "records": outcome.records,
        "places": outcome.places,
        "audit": outcome.audit,
        "wall_ms": outcome.wall.as_millis(),
        "ready_ms": outcome.ready.map(|ready| ready.as_millis()),
    })
}

/// A port nobody listens on right now.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port for gdb")?;
    Ok(listener.local_addr()?.port())
}

fn announce_gdb(spec: &Spec<'_>) {
    let elf = paths::shown(&spec.kernel.elf.path);
    let port = spec.gdb.unwrap_or_default();
    tell!("in another terminal: gdb-multiarch {elf} -ex 'target remote :{port}'");
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        qemu: Qemu,
    }

    fn expect(words: &[&str]) -> Option<End> {
        let words = ["qemu", "--arch", "i386"].iter().chain(words);
        Line::parse_from(words).qemu.expect
    }

    #[test]
    fn no_certain_end_is_asked_for_unless_somebody_does() {
        assert_eq!(expect(&["--append", "run=reboot"]), None);
        assert_eq!(expect(&["--expect", "reboot"]), Some(End::Reboot));
    }

    #[test]
    fn a_lost_result_is_no_pass_and_hides_no_panic() {
        let lost = || Err(anyhow::anyhow!("no room"));
        assert_eq!(unless_lost(lost(), Exit::Pass), Exit::Failed);
        assert_eq!(unless_lost(lost(), Exit::Panic), Exit::Panic);
        assert_eq!(unless_lost(Ok(()), Exit::Pass), Exit::Pass);
    }
}
