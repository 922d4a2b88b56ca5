//! What is read off a machine that has come to its end, before it is let go: the audit, the core, the story of its CPUs, and
//! why it died.

use std::fs::File;

use anyhow::Result;
use serde_json::json;

use super::{Run, looping};
use crate::audit::{self, Audit};
use crate::death::{self, Death};
use crate::file;
use crate::guest::image::{self, Found};
use crate::guest::memory::Cache;
use crate::guest::registers;
use crate::kernel::elf::Elf;
use crate::report::{self, Story, story};
use crate::vm::dump;
use crate::vm::gdb::Stub;
use crate::vm::judge::{End, Stop, is_of_bios};
use crate::vm::postmortem::{self, Cpu};
use crate::vm::record;

/// CPUs whose system registers are asked for: each takes a dozen questions.
const ASKED: usize = 64;

impl Run {
    /// Audits a machine that stays after its kernel's last word, if it is to be audited.
    pub(super) fn audit(&mut self, stop: &Stop) -> Option<Result<Audit>> {
        let honesty = self.watch.audit.filter(|_| *stop == Stop::Lingering)?;
        let elf = match self.elf.read().and_then(|bytes| Elf::parse(&bytes)) {
            Ok(elf) => elf,
            Err(error) => return Some(Err(error)),
        };
        let machine = audit::Machine {
            arch: self.arch,
            elf: &elf,
            qmp: &mut self.qmp,
            gdb: self.process.gdb()?,
            stop: record::last(&self.console.records, "stop"),
        };
        let audit = audit::audit(machine, honesty);
        if let Ok(audit) = &audit {
            self.console
                .note(&format!("xtask: the audit: {}\n{audit}", audit.summary()));
        }
        Some(audit)
    }

    /// Reads what the machine's memory tells of its CPUs, if somebody wants to know.
    pub(super) fn story(&mut self) -> Option<Story> {
        if !report::is_wanted() {
            return None;
        }
        // One that has come to its end stands already.
        let _ = self.qmp.command("stop", &json!({}));
        let told = self.elf.read().and_then(|bytes| {
            Story::read(&mut story::Machine {
                qmp: &mut self.qmp,
                elf: &Elf::parse(&bytes)?,
                console: &self.console,
                flavour: self.flavour,
                cpus: self.cpus,
            })
        });
        if let Err(error) = &told {
            self.console
                .note(&format!("xtask: no story of the CPUs: {error:#}"));
        }
        told.ok()
    }

    /// Whether a triple fault ended this life of the machine, and not one of the BIOS's own that was announced.
    pub(super) fn triple_fault(&mut self) -> bool {
        let in_bios = |text: String| postmortem::parse(&text).iter().any(Cpu::is_in_bios);
        self.process.triple_fault()
            && !is_of_bios(
                &self.console.records,
                postmortem::look(&mut self.qmp).is_ok_and(in_bios),
            )
    }

    /// Says what each CPU was doing, and of a machine that died without a word, why.
    pub(super) fn post_mortem(&mut self, stop: &Stop, end: End) -> (Vec<Cpu>, Option<Death>) {
        let Ok(text) = postmortem::look(&mut self.qmp) else {
            return (Vec::new(), None);
        };
        let cpus = postmortem::parse(&text);
        let how = match (end, stop, looping(&cpus, &self.console)) {
            (_, Stop::Looping(index), _) => Some(death::End::Loop(*index)),
            (End::Timeout, _, Some(cpu)) => Some(death::End::Loop(cpu.index)),
            (End::EarlyDeath, ..) if self.triple_fault() => Some(death::End::TripleFault),
            (End::EarlyDeath, ..) => Some(death::End::Reset),
            _ => None,
        };
        let death = how.map(|how| self.autopsy(&text, how));
        let told = match &death {
            Some(Ok(death)) => {
                format!(
                    "xtask: early death: {}\n{}",
                    death.summary,
                    death.lines.join("\n")
                )
            }
            Some(Err(error)) => format!("xtask: early death, not explained: {error:#}"),
            None => {
                let text = postmortem::describe(&cpus, &self.console);
                format!("xtask: the CPUs, as they stood:\n{text}")
            }
        };
        self.console.note(&told);
        (cpus, death.and_then(Result::ok))
    }

    /// Explains the death of the machine that stands, from its registers in QEMU's `text`, and its memory.
    fn autopsy(&mut self, text: &str, end: death::End) -> Result<Death> {
        let elf = Elf::parse(&self.elf.read()?)?;
        let mut cpus = registers::parse(text);
        if !self.arch.is_x86() && !self.has_gdb {
            self.system_registers(&mut cpus)?;
        }
        let mut source = self.process.memory(&mut self.qmp);
        let memory = Cache::new(&mut source);
        let spaces: Vec<_> = cpus.iter().map(|cpu| cpu.space(self.arch)).collect();
        let found = image::find(&elf, &memory, &spaces);
        let image = match &found {
            Found::Ours(image) => Some(image),
            _ => None,
        };
        let guest = death::Guest {
            arch: self.arch,
            memory: &memory,
            cpus: &cpus,
            image,
            symbols: image.and_then(|_| self.console.symbols()),
        };
        Ok(death::explain(&guest, &found, end))
    }

    /// Writes the core, if one is wanted, and says what is in it. Whether there is one now.
    pub(super) fn core(&mut self) -> bool {
        let Some(path) = self.core.take() else {
            return false;
        };
        let written = file::write(&path, |file| self.dump(file));
        self.console.note(&match &written {
            Ok(text) => format!("xtask: core: {text}: {}", path.display()),
            Err(error) => format!("xtask: no core: {error:#}"),
        });
        written.is_ok()
    }

    fn dump(&mut self, file: &mut File) -> Result<String> {
        let text = postmortem::look(&mut self.qmp)?;
        let mut cpus = registers::parse(&text);
        if !self.arch.is_x86() {
            self.system_registers(&mut cpus)?;
        }
        let elf = Elf::parse(&self.elf.read()?)?;
        dump::write(self.arch, &elf, &cpus, (&mut self.process, &mut self.qmp), file)
    }

    /// What the monitor does not print, of the CPUs that are the most likely to be asked for.
    fn system_registers(&mut self, cpus: &mut [registers::Cpu]) -> Result<()> {
        let Some(stream) = self.process.gdb() else {
            return Ok(());
        };
        self.qmp.human("gdbserver chardev:stub")?;
        let mut stub = Stub::attach(stream)?;
        for cpu in cpus.iter_mut().take(ASKED) {
            for (name, value) in stub.system_registers(cpu.index, &registers::ARM_SYSTEM)? {
                cpu.set(&name, value);
            }
            cpu.set("HLT", stub.is_halted(cpu.index)?.into());
        }
        Ok(())
    }
}
