//! A machine that died without a word, explained from outside: which CPU it was, what it did, which page was lacking in which
//! table, and why nobody could be told.
//!
//! What is looked at is what QEMU holds still after the reset that nobody announced: the CPUs' registers, and memory, in
//! which the page tables are walked as the CPU would. The kernel is known by the build id in its memory; another one than
//! that of the ELF file gets no names.

mod arm;
mod assembly;
mod backtrace;
mod story;
mod tables;
mod x86;

use serde::Serialize;

use crate::arch::Arch;
use crate::guest::image::{Found, Image};
use crate::guest::memory::Memory;
use crate::guest::registers::Cpu;
use crate::guest::space::{Root, Space};
use crate::vm::symbolise::Symbols;

/// A guest that stands, with all that is known of it.
pub struct Guest<'g> {
    pub arch: Arch,
    pub memory: &'g dyn Memory,
    pub cpus: &'g [Cpu],
    /// The kernel in its memory, if it is the one in the ELF file.
    pub image: Option<&'g Image<'g>>,
    /// The names in that file.
    pub symbols: Option<&'g Symbols>,
}

/// How the run ended, as far as is known without a look at the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// QEMU's log has the words.
    TripleFault,
    /// A reset for another reason.
    Reset,
    /// A CPU takes the same exception for ever.
    Loop(u32),
}

/// An explanation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Death {
    /// In one sentence.
    pub summary: String,
    /// QEMU's number of the CPU that died, if it is known which it was.
    pub cpu: Option<u32>,
    /// The whole story, in lines.
    pub lines: Vec<String>,
}

/// Explains the death of `guest`; `found` is what lies where the kernel should be.
pub fn explain(guest: &Guest<'_>, found: &Found<'_>, end: End) -> Death {
    let mut death = match (guest.arch.is_x86(), end) {
        (true, End::TripleFault) => story::triple_fault(guest),
        (false, End::Loop(index)) => arm::exception_loop(guest, index),
        (false, _) => arm::reset(guest),
        (true, _) => story::reset(guest),
    };
    match found {
        Found::Ours(_) => {}
        Found::Another(mismatch) => death.lines.push(format!("  {mismatch}: no names")),
        Found::Nothing => death
            .lines
            .push("  the kernel is not where it should be in memory: no names".into()),
    }
    story::others(guest, &mut death);
    death
}

impl Guest<'_> {
    /// The CPU that QEMU calls so.
    fn cpu(&self, index: u32) -> Option<&Cpu> {
        self.cpus.iter().find(|cpu| cpu.index == index)
    }

    /// Functions where `cpu` stands, the innermost first, each with its line.
    fn place(&self, cpu: &Cpu) -> Vec<String> {
        let frames = self.frames(self.link_address(cpu));
        match &frames[..] {
            // Without a line: assembly.
            [only] if self.arch.is_x86() && !only.contains('(') => {
                vec![assembly::place(self, cpu).unwrap_or_else(|| only.clone())]
            }
            _ => frames,
        }
    }

    /// Functions at `address`, the innermost first, each with its line.
    fn frames(&self, address: u64) -> Vec<String> {
        self.symbols
            .map_or_else(Vec::new, |symbols| symbols.frames(address))
    }

    /// The address by which the kernel knows where `cpu` stands: it may run the image at its physical address, or the copy of
    /// the trampoline that starting CPUs execute.
    fn link_address(&self, cpu: &Cpu) -> u64 {
        let pc = match (self.arch.is_x86(), cpu.mode()) {
            (true, x86_mode) if x86_mode != crate::guest::registers::Mode::Long => {
                cpu.segment("CS").base.wrapping_add(cpu.pc())
            }
            _ => cpu.pc(),
        };
        let Some(image) = self.image else { return pc };
        let moved = || {
            let page = cpu.space(self.arch).walk(self.memory, pc)?.page?;
            image
                .virt_of(page.pa)
                .or_else(|| self.in_trampoline(image, page.pa))
        };
        if image.phys_of(pc).is_some() {
            pc
        } else {
            moved().unwrap_or(pc)
        }
    }

    /// The address in the trampoline's original, if `phys` is in its copy.
    fn in_trampoline(&self, image: &Image<'_>, phys: u64) -> Option<u64> {
        let symbol = |name: &str| image.elf().symbol(name);
        let (start, end) = (symbol("smp_trampoline_start")?, symbol("smp_trampoline_end")?);
        let copy = phys & !0xfff;
        let offset = phys - copy;
        // The header is filled in, the code behind it is the same.
        /// More than a header has.
        const CODE_FROM: u64 = 256;
        let len = usize::try_from((end - start).checked_sub(CODE_FROM)?).ok()?;
        let original = image.read(self.memory, start + CODE_FROM, len)?;
        let same = self.memory.read(copy + CODE_FROM, len) == original && !original.is_empty();
        (same && start + offset < end).then_some(start + offset)
    }

    /// What `cpu` was doing, in the kernel's words.
    fn phase(&self, logical: u32) -> Option<String> {
        let image = self.image?;
        let width = if self.arch == Arch::I386 { 4 } else { 8 };
        let words = image.elf().rust_symbol("kernel::phase::PHASE")?;
        let word = |at| {
            Some(crate::guest::space::little(&image.read(
                self.memory,
                at,
                width as usize,
            )?))
        };
        let sentence = word(words + u64::from(logical) * width)?;
        let (text, len) = (word(sentence)?, word(sentence + width)?);
        /// No sentence is longer.
        const LONGEST: u64 = 200;
        let bytes = image.read(self.memory, text, usize::try_from(len.min(LONGEST)).ok()?)?;
        String::from_utf8(bytes).ok()
    }

    /// The kernel's own root table, once it has one.
    fn kernel_root(&self) -> Option<u64> {
        let width = if self.arch == Arch::I386 { 4 } else { 8 };
        let root = self.image?.variable(self.memory, "kernel::mm::map::ROOT", width);
        root.filter(|root| *root != 0)
    }

    /// The address space that the kernel has made for itself: of the kind that `cpu` uses.
    fn kernel_space(&self, like: Space) -> Option<Space> {
        let pa = self.kernel_root()?;
        match like {
            Space::One(root) => Some(Space::One(Root { pa, ..root })),
            Space::Two { lower, upper } => Some(Space::Two {
                lower,
                upper: Root { pa, ..upper },
            }),
            Space::Physical | Space::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests;
