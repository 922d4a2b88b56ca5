//! Writes a core of a machine that stands.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;

use anyhow::{Context, Result, bail, ensure};
use paging::{Cache as Cached, Mapping, Prot};
use smp_stop::{CpuId, Report};

use super::process::Process;
use super::qmp::Qmp;
use crate::arch::Arch;
use crate::guest::core::{self, Registers, Segment};
use crate::guest::image::{self, Found, Image};
use crate::guest::memory::{Cache, Memory};
use crate::guest::registers::Cpu;
use crate::guest::space::{ArmHalf, Kind, Root, Space};
use crate::kernel::elf::Elf;

/// Writes the core to `file`, and says in a sentence what is in it. `cpus` have the registers of their system, too.
///
/// # Errors
/// When the kernel has no page tables of its own yet, or memory cannot be read.
pub fn write(
    arch: Arch,
    elf: &Elf,
    cpus: &[Cpu],
    (process, qmp): (&mut Process, &mut Qmp),
    file: &mut File,
) -> Result<String> {
    let (segments, saved) = look(arch, elf, cpus, (&mut *process, &mut *qmp))?;
    let count = saved.iter().filter(|saved| saved.is_some()).count();
    let registers = saved
        .into_iter()
        .zip(cpus)
        .map(|(saved, cpu)| -> Box<dyn Registers> {
            match saved {
                Some(saved) => Box::new(Saved(saved)),
                None => Box::new(Seen(cpu.clone())),
            }
        });
    let registers: Vec<_> = registers.collect();
    let mut memory = process.memory(qmp);
    let read = |pa, len| memory.read(pa, len);
    let guest = core::Guest {
        arch,
        build_id: &elf.build_id_bytes().context("the kernel has no build id")?,
        cpus: &registers,
    };
    core::write(&guest, &segments, read, &mut BufWriter::new(file))?;
    let bytes: u64 = segments.iter().map(|segment| segment.len).sum();
    Ok(format!(
        "{} CPUs ({count} by the registers that the kernel saved), {} MiB of memory",
        registers.len(),
        bytes >> 20
    ))
}

/// A CPU's registers by name, as the kernel saved them.
type Words = HashMap<String, u64>;

/// What is mapped, and what the kernel saved of each CPU.
fn look(
    arch: Arch,
    elf: &Elf,
    cpus: &[Cpu],
    (process, qmp): (&mut Process, &mut Qmp),
) -> Result<(Vec<Segment>, Vec<Option<Words>>)> {
    let mut source = process.memory(qmp);
    let memory = Cache::new(&mut source);
    let spaces: Vec<Space> = cpus.iter().map(|cpu| cpu.space(arch)).collect();
    let image = match image::find(elf, &memory, &spaces) {
        Found::Ours(image) => image,
        Found::Another(mismatch) => bail!("{mismatch}"),
        Found::Nothing => bail!("the kernel is not in memory"),
    };
    let root = root(arch, &image, &memory, &spaces)?;
    let mut segments = Vec::new();
    root.each_mapping(&memory, |mapping| segments.extend(segment(&mapping)));
    ensure!(!segments.is_empty(), "the kernel has mapped nothing");
    let saved = saved(elf, &image, &memory);
    Ok((
        segments,
        cpus.iter().map(|cpu| saved.get(&cpu.index).cloned()).collect(),
    ))
}

/// The kernel's own root table.
fn root(arch: Arch, image: &Image<'_>, memory: &dyn Memory, spaces: &[Space]) -> Result<Root> {
    let width = if arch == Arch::I386 { 4 } else { 8 };
    let pa = image
        .variable(memory, "kernel::mm::map::ROOT", width)
        .filter(|pa| *pa != 0)
        .context("the kernel has no page tables of its own yet")?;
    if arch == Arch::Aarch64 {
        let kind = Kind::Arm(ArmHalf::Upper);
        return Ok(Root { kind, pa });
    }
    let on = spaces.iter().find_map(|space| match space {
        Space::One(root) => Some(root.kind),
        _ => None,
    });
    let kind = on.context("no CPU has its paging on")?;
    Ok(Root { kind, pa })
}

/// Memory; device registers are none.
fn segment(mapping: &Mapping) -> Option<Segment> {
    (mapping.cache == Cached::WriteBack).then_some(Segment {
        va: mapping.va,
        pa: mapping.pa,
        len: mapping.len,
        write: mapping.prot.contains(Prot::WRITE),
        exec: mapping.prot.contains(Prot::EXEC),
    })
}

/// What is in the stop report, by the kernel's numbers for CPUs, which are QEMU's too. The owner went on after it had saved its
/// own, on the same stack: where it stands now is what fits the memory.
fn saved(elf: &Elf, image: &Image<'_>, memory: &dyn Memory) -> HashMap<u32, Words> {
    let report = || {
        use smp_stop::report::layout;
        let at = elf.rust_symbol("kernel::account::STOP")?;
        let header = image.read(memory, at, layout::HEADER_LEN)?;
        let len = u32::from_le_bytes(*header.get(12..)?.first_chunk()?);
        image.read(memory, at, usize::try_from(len).ok()?)
    };
    let Some(bytes) = report() else {
        return HashMap::new();
    };
    let Ok(report) = smp_stop::report::decode(&bytes) else {
        return HashMap::new();
    };
    let rows: Vec<_> = report.rows().collect();
    rows.iter()
        .filter(|row| !row.owner)
        .filter_map(|row| Some((row.cpu.as_u32(), words(report, row.cpu)?)))
        .collect()
}

/// The words of a saved block, by name: see `arch/x86/src/stop.rs`, `arch/aarch64/src/stop`.
fn words(report: Report<'_>, cpu: CpuId) -> Option<Words> {
    const LONG: [&str; 20] = [
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15", "rip", "eflags", "cs", "ss",
    ];
    const SHORT: [&str; 12] = [
        "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "eip", "eflags", "cs", "ss",
    ];
    let block = report.registers(cpu)?;
    let named = |names: &[&str]| -> Words {
        let pairs = names.iter().zip(block.words());
        pairs.map(|(name, word)| ((*name).to_owned(), *word)).collect()
    };
    match block.machine() {
        62 => Some(named(&LONG)),
        3 => Some(named(&SHORT)),
        183 => {
            let mut words: Words = (0..31)
                .zip(block.words())
                .map(|(number, word)| (format!("x{number}"), *word))
                .collect();
            words.insert("sp".into(), block.sp());
            words.insert("pc".into(), block.pc());
            words.insert("cpsr".into(), block.words().get(31).copied().unwrap_or(0));
            Some(words)
        }
        _ => None,
    }
}

struct Saved(Words);

impl Registers for Saved {
    fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }
}

/// As QEMU shows them.
struct Seen(Cpu);

impl Registers for Seen {
    fn get(&self, name: &str) -> u64 {
        let cpu = &self.0;
        let upper = name.to_uppercase();
        let number = name
            .strip_prefix('x')
            .and_then(|number| number.parse::<u32>().ok());
        match name {
            "pc" | "rip" | "eip" => cpu.pc(),
            "sp" | "rsp" | "esp" => cpu.sp(),
            "eflags" => cpu.get("RFL").or_else(|| cpu.get("EFL")).unwrap_or(0),
            "cpsr" => cpu.get("PSTATE").unwrap_or(0),
            "fs_base" => cpu.segment("FS").base,
            "gs_base" => cpu.segment("GS").base,
            "cs" | "ss" | "ds" | "es" | "fs" | "gs" => cpu.segment(&upper).selector,
            _ => match number {
                Some(number) => cpu.get(&format!("X{number:02}")).unwrap_or(0),
                None => cpu.get(&upper).unwrap_or(0),
            },
        }
    }
}
