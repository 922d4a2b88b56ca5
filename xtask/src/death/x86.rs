//! Why an x86 CPU reset the machine: which exception its instruction raises, and why that could not be told to anybody.

pub mod delivery;
pub mod instruction;

use super::Guest;
use crate::guest::registers::Cpu;
use crate::guest::space::Walk;

/// What an instruction does that the CPU does not let it do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub vector: u8,
    /// What it is about, to follow "it": `reads 0xf1000000`.
    pub what: String,
    /// The way to the address that is not there.
    pub walk: Option<Walk>,
}

pub const INVALID_OPCODE: u8 = 6;
pub const DOUBLE_FAULT: u8 = 8;
pub const GENERAL_PROTECTION: u8 = 13;
pub const PAGE_FAULT: u8 = 14;

/// The exceptions by name.
pub const fn name(vector: u8) -> &'static str {
    match vector {
        0 => "divide error",
        1 => "debug exception",
        3 => "breakpoint",
        INVALID_OPCODE => "invalid opcode",
        DOUBLE_FAULT => "double fault",
        11 => "segment not present",
        12 => "stack fault",
        GENERAL_PROTECTION => "general protection fault",
        PAGE_FAULT => "page fault",
        _ => "exception",
    }
}

/// A CPU that may have been the one.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// The instruction it stands at, as text; `None` if it cannot be fetched.
    pub instruction: Option<String>,
    /// What is wrong with the instruction, as far as the registers tell.
    pub fault: Option<Fault>,
    /// Why that exception, or if it is not known which it was a page fault, cannot be delivered.
    pub undelivered: Option<Fault>,
    /// Why the double fault that comes of it cannot be delivered either.
    pub twice: Option<Fault>,
}

impl Suspect {
    /// Looks at a CPU.
    pub fn of(guest: &Guest<'_>, cpu: &Cpu) -> Self {
        let (instruction, fault) = instruction::look(guest, cpu);
        let vector = fault.as_ref().map_or(PAGE_FAULT, |fault| fault.vector);
        Self {
            instruction,
            fault,
            undelivered: delivery::obstacle(guest, cpu, vector),
            twice: delivery::obstacle(guest, cpu, DOUBLE_FAULT),
        }
    }

    /// How much speaks for it: nobody else resets the machine than one whose double fault cannot be delivered.
    pub const fn weight(&self) -> u32 {
        match (&self.fault, &self.undelivered, &self.twice) {
            (Some(_), Some(_), Some(_)) => 3,
            (_, Some(_), Some(_)) => 2,
            (Some(_), _, Some(_)) => 1,
            _ => 0,
        }
    }
}

/// An access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Execute,
}

impl Access {
    const fn verb(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Execute => "is fetched from",
        }
    }
}

/// Why `bytes` bytes from `va` on cannot be accessed by `cpu`, if they cannot: the page fault that comes of it.
pub fn refused(guest: &Guest<'_>, cpu: &Cpu, va: u64, bytes: u64, access: Access) -> Option<Fault> {
    let space = cpu.space(guest.arch);
    let last = va.wrapping_add(bytes.max(1) - 1);
    let ends = if va >> 12 == last >> 12 {
        vec![va]
    } else {
        vec![va, last & !0xfff]
    };
    for at in ends {
        let walk = space.walk(guest.memory, at)?;
        let Some(why) = why_not(cpu, &walk, access) else {
            continue;
        };
        return Some(Fault {
            vector: PAGE_FAULT,
            what: format!("{} {at:#x}, which is {why}", access.verb()),
            walk: Some(walk),
        });
    }
    None
}

fn why_not(cpu: &Cpu, walk: &Walk, access: Access) -> Option<&'static str> {
    /// CR0.WP: read-only holds for the kernel too.
    const WRITE_PROTECT: u64 = 1 << 16;
    let Some(page) = walk.page else {
        return Some(if walk.steps.is_empty() {
            "no address"
        } else {
            "not mapped"
        });
    };
    match access {
        Access::Write if !page.write && cpu.get("CR0").unwrap_or(0) & WRITE_PROTECT != 0 => Some("read-only"),
        Access::Execute if !page.exec => Some("not executable"),
        _ => None,
    }
}
