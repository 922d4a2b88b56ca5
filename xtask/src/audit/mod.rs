//! The audit from outside: whether a kernel that says "they stand still" tells the truth.
//!
//! After a stop the kernel's report is read from its memory, not from its console, and each line of it is held against
//! what the emulator says of that CPU: the owner has come to its end; a CPU that is said to be parked is halted inside the
//! park page with its interrupts off, or powered off; one that is said to be off is off; whoever does anything else is named.
//! It is looked at twice, with the machine running in between: nobody but those that are named has moved a register.
//!
//! What can be told apart: QEMU says of each CPU whether it waits (`halted`), of which kind a wait is the program counter
//! tells. An aarch64 CPU that has switched itself off stands right behind the call to firmware, where nobody else ever
//! waits.

mod account;
mod lie;
mod machine;
mod report;
mod survive;
mod wake;

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

pub use self::account::Audit;
use self::account::Sample;
use self::machine::{Places, Seen, Vcpu};
use self::report::Memory;
pub use self::survive::Extent;
use self::survive::Standing;
use crate::arch::Arch;
use crate::kernel::elf::Elf;
use crate::vm::gdb::Stub;
use crate::vm::qmp::Qmp;
use crate::vm::record::Record;

/// How long the machine runs between the two looks.
const BETWEEN: Duration = Duration::from_millis(100);
/// A CPU's acknowledgement is its last store, and a few instructions lie between that and its halt. On a busy host QEMU may
/// let it wait for them: what does not fit is looked at again for so long.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether report and memory are left as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honesty {
    /// They are.
    Honest,
    /// The report is made to lie first, which the audit must find out: the negative control.
    Lie,
    /// Once report and machine agree, memory is overwritten, and whoever stands still must go on standing.
    Overwrite(Extent),
}

/// A machine that has come to a standstill, and still is one.
pub struct Machine<'a> {
    pub arch: Arch,
    pub elf: &'a Elf,
    pub qmp: &'a mut Qmp,
    /// Where QEMU's gdb server will speak.
    pub gdb: UnixStream,
    /// The kernel's last `@stop` line.
    pub stop: Option<&'a Record>,
}

/// Audits a machine.
///
/// # Errors
/// When the machine does not let itself be looked at, or there is no report in it. A report that is not what the machine
/// shows is an [`Audit`] that does not agree.
pub fn audit(machine: Machine<'_>, honesty: Honesty) -> Result<Audit> {
    let Machine {
        arch,
        elf,
        qmp,
        gdb,
        stop,
    } = machine;
    let places = Places::of(arch, elf)?;
    let roster = machine::roster(qmp, arch)?;
    let answer = qmp.human("gdbserver chardev:stub")?;
    let mut stub =
        Stub::attach(gdb).with_context(|| format!("no gdb server in QEMU: {:?}", answer.trim()))?;
    if honesty == Honesty::Lie {
        let memory = Memory::read(&mut stub, elf, &roster)?;
        lie::tell(&mut stub, &memory)?;
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let first = look(&mut stub, arch, elf, &roster)?;
        pass_time(&mut stub, qmp)?;
        let second = look(&mut stub, arch, elf, &roster)?;
        let (before, after) = (first.sample()?, second.sample()?);
        let mut audit = Audit::of(&roster, &places, before, after);
        audit.compare(stop, after.report);
        if let (true, Honesty::Overwrite(extent)) = (audit.agrees(), honesty) {
            let (overwritten, findings) = Standing {
                arch,
                elf,
                qmp,
                stub: &mut stub,
                places: &places,
                roster: &roster,
                report: after.report,
            }
            .survive(extent)?;
            audit.overwritten = Some(overwritten);
            audit.findings.extend(findings);
            return Ok(audit);
        }
        if audit.agrees() || Instant::now() >= deadline {
            return Ok(audit);
        }
    }
}

/// All that is looked at in one moment.
struct Moment {
    cpus: Vec<Seen>,
    memory: Memory,
}

impl Moment {
    fn sample(&self) -> Result<Sample<'_>> {
        Ok(Sample {
            cpus: &self.cpus,
            report: self.memory.report()?,
        })
    }
}

fn look(stub: &mut Stub, arch: Arch, elf: &Elf, roster: &[Vcpu]) -> Result<Moment> {
    let cpus = roster.iter().map(|cpu| Seen::look(stub, arch, cpu.index));
    Ok(Moment {
        cpus: cpus.collect::<Result<_>>()?,
        memory: Memory::read(stub, elf, roster)?,
    })
}

/// Lets the machine run for a while.
fn pass_time(stub: &mut Stub, qmp: &mut Qmp) -> Result<()> {
    stub.resume()?;
    thread::sleep(BETWEEN);
    let status = qmp.command("query-status", &json!({}))?;
    ensure!(
        status["running"] == true,
        "the machine does not run on: {}",
        status["status"]
    );
    stub.interrupt()
}
