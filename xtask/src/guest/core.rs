//! An ELF core of a guest: memory at the kernel's own addresses, and the registers of every CPU, so that a debugger opens it as
//! it would a process with a thread for each CPU.

mod reader;
#[cfg(test)]
mod tests;

use std::io::Write;

use anyhow::{Result, anyhow};
use object::Endianness;
use object::elf::{ELFOSABI_NONE, ET_CORE, NT_GNU_BUILD_ID, NT_PRSTATUS, PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE};
use object::write::elf::{FileHeader, ProgramHeader, Writer};

pub use self::reader::Core;
use crate::arch::Arch;

/// The registers of one CPU, by the names that debuggers have for them.
pub trait Registers {
    /// The register called `name`: `rax`, `eip`, `x0`, `pc`; 0 if it is not known.
    fn get(&self, name: &str) -> u64;
}

/// A run of the kernel's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub va: u64,
    pub pa: u64,
    pub len: u64,
    pub write: bool,
    pub exec: bool,
}

/// How a CPU's registers are laid out in a note: Linux's `struct elf_prstatus`.
struct Layout {
    len: usize,
    thread_at: usize,
    registers_at: usize,
    width: usize,
    names: &'static [&'static str],
}

const X86_64: &[&str] = &[
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
    "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
];
const I386: &[&str] = &[
    "ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "gs", "orig_eax", "eip", "cs",
    "eflags", "esp", "ss",
];
const AARCH64: &[&str] = &[
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
    "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",
    "sp", "pc", "cpsr",
];

const fn layout(arch: Arch) -> Layout {
    let (len, thread_at, registers_at, width, names) = match arch {
        Arch::X86_64 => (336, 32, 112, 8, X86_64),
        Arch::I386 => (144, 24, 72, 4, I386),
        Arch::Aarch64 => (392, 32, 112, 8, AARCH64),
    };
    Layout {
        len,
        thread_at,
        registers_at,
        width,
        names,
    }
}

const fn machine(arch: Arch) -> object::elf::Machine {
    match arch {
        Arch::X86_64 => object::elf::EM_X86_64,
        Arch::I386 => object::elf::EM_386,
        Arch::Aarch64 => object::elf::EM_AARCH64,
    }
}

/// A guest, as far as it goes into the notes.
pub struct Guest<'a> {
    pub arch: Arch,
    /// Of the kernel in memory, so that nobody opens the core with another's symbols.
    pub build_id: &'a [u8],
    pub cpus: &'a [Box<dyn Registers>],
}

/// Adds a note. Both strings are padded to words.
fn note(notes: &mut Vec<u8>, name: &[u8], kind: u32, text: &[u8]) {
    let header = [name.len() as u32, text.len() as u32, kind];
    notes.extend(header.iter().flat_map(|word| word.to_le_bytes()));
    for part in [name, text] {
        notes.extend(part);
        notes.resize(notes.len().next_multiple_of(4), 0);
    }
}

/// The notes: the build, and one for each CPU, thread numbers from 1 on.
fn notes(guest: &Guest<'_>) -> Vec<u8> {
    let layout = layout(guest.arch);
    let mut notes = Vec::new();
    note(&mut notes, b"GNU\0", NT_GNU_BUILD_ID.0, guest.build_id);
    for (number, cpu) in (1_u32..).zip(guest.cpus) {
        let mut status = vec![0; layout.len];
        status[layout.thread_at..][..4].copy_from_slice(&number.to_le_bytes());
        for (slot, name) in layout.names.iter().enumerate() {
            let at = layout.registers_at + slot * layout.width;
            status[at..at + layout.width].copy_from_slice(&cpu.get(name).to_le_bytes()[..layout.width]);
        }
        note(&mut notes, b"CORE\0", NT_PRSTATUS.0, &status);
    }
    notes
}

/// Writes a core to `out`; `read` gives physical memory.
///
/// # Errors
/// When memory cannot be read, or the file not be written.
pub fn write(
    guest: &Guest<'_>,
    segments: &[Segment],
    mut read: impl FnMut(u64, u64) -> Result<Vec<u8>>,
    out: &mut impl Write,
) -> Result<()> {
    /// Read at once.
    const CHUNK: u64 = 8 << 20;
    const PAGE: u64 = 4096;
    let (head, first) = head(guest.arch, &notes(guest), segments)?;
    out.write_all(&head)?;
    let pad = first - head.len() as u64;
    out.write_all(&vec![0; usize::try_from(pad)?])?;
    for segment in segments {
        debug_assert!(segment.len.is_multiple_of(PAGE));
        let mut done = 0;
        while done < segment.len {
            let len = CHUNK.min(segment.len - done);
            out.write_all(&read(segment.pa + done, len)?)?;
            done += len;
        }
    }
    Ok(out.flush()?)
}

/// All but the memory, and where that begins.
fn head(arch: Arch, notes: &[u8], segments: &[Segment]) -> Result<(Vec<u8>, u64)> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(Endianness::Little, arch != Arch::I386, &mut bytes);
    writer.reserve_file_header();
    writer.reserve_program_headers(u32::try_from(segments.len() + 1)?);
    let notes_at = writer.reserve(notes.len() as u64, 4);
    let first = writer.reserve(0, 4096);
    let wrong = |error| anyhow!("the core's header: {error}");
    writer
        .write_file_header(&FileHeader {
            os_abi: ELFOSABI_NONE,
            abi_version: 0,
            e_type: ET_CORE,
            e_machine: machine(arch),
            e_entry: 0,
            e_flags: object::elf::FileFlags(0),
        })
        .map_err(wrong)?;
    writer.write_align_program_headers();
    writer.write_program_header(&ProgramHeader {
        p_type: PT_NOTE,
        p_flags: PF_R,
        p_offset: notes_at,
        p_vaddr: 0,
        p_paddr: 0,
        p_filesz: notes.len() as u64,
        p_memsz: 0,
        p_align: 4,
    });
    let mut offset = first;
    for segment in segments {
        let write = if segment.write { PF_W.0 } else { 0 };
        let exec = if segment.exec { PF_X.0 } else { 0 };
        writer.write_program_header(&ProgramHeader {
            p_type: PT_LOAD,
            p_flags: object::elf::ProgramFlags(PF_R.0 | write | exec),
            p_offset: offset,
            p_vaddr: segment.va,
            p_paddr: segment.pa,
            p_filesz: segment.len,
            p_memsz: segment.len,
            p_align: 4096,
        });
        offset += segment.len;
    }
    writer.pad_until(notes_at);
    writer.write(notes);
    Ok((bytes, first))
}
