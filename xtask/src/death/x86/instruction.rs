//! The instruction a CPU stands at, and what it would access: so that the exception it raises is found out, of which a CPU
//! that has reset the machine keeps no record.

use iced_x86::{
    Decoder, DecoderOptions, Formatter, GasFormatter, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register, UsedMemory,
};

use super::{Access, Fault, GENERAL_PROTECTION, INVALID_OPCODE, refused};
use crate::death::Guest;
use crate::guest::registers::{Cpu, Mode};
use crate::guest::space::little;

/// No instruction is longer.
const LONGEST: usize = 15;

/// The instruction `cpu` stands at, and what is wrong with it.
pub fn look(guest: &Guest<'_>, cpu: &Cpu) -> (Option<String>, Option<Fault>) {
    let (bits, at) = match cpu.mode() {
        Mode::Real => (16, cpu.segment("CS").base.wrapping_add(cpu.pc())),
        Mode::Protected(bits) => (bits, cpu.segment("CS").base.wrapping_add(cpu.pc()) & 0xffff_ffff),
        Mode::Long => (64, cpu.pc()),
    };
    if let Some(fault) = refused(guest, cpu, at, 1, Access::Execute) {
        return (None, Some(fault));
    }
    let bytes = fetch(guest, cpu, at);
    let instruction = Decoder::with_ip(bits, &bytes, cpu.pc(), DecoderOptions::NONE).decode();
    if instruction.is_invalid() {
        let cut = bytes.len() < LONGEST;
        let next = at.wrapping_add(bytes.len() as u64);
        let beyond = cut
            .then(|| refused(guest, cpu, next, 1, Access::Execute))
            .flatten();
        let fault = beyond.unwrap_or_else(|| undefined("is none: its bytes mean nothing"));
        return (None, Some(fault));
    }
    let mut text = String::new();
    GasFormatter::new().format(&instruction, &mut text);
    (Some(text), fault(guest, cpu, &instruction))
}

/// Its bytes, up to where they cannot be read.
fn fetch(guest: &Guest<'_>, cpu: &Cpu, at: u64) -> Vec<u8> {
    let space = cpu.space(guest.arch);
    let mut read = (1..=LONGEST)
        .rev()
        .filter_map(|len| space.read(guest.memory, at, len));
    read.next().unwrap_or_default()
}

fn undefined(what: &str) -> Fault {
    Fault {
        vector: INVALID_OPCODE,
        what: what.into(),
        walk: None,
    }
}

fn fault(guest: &Guest<'_>, cpu: &Cpu, instruction: &Instruction) -> Option<Fault> {
    if instruction.mnemonic() == Mnemonic::Ud2 {
        return Some(undefined("is undefined on purpose"));
    }
    let mut factory = InstructionInfoFactory::new();
    let mut memory = factory.info(instruction).used_memory().iter();
    memory
        .find_map(|used| operand(guest, cpu, used))
        .or_else(|| descriptor(guest, cpu, selector(guest, cpu, instruction)?))
}

fn operand(guest: &Guest<'_>, cpu: &Cpu, used: &UsedMemory) -> Option<Fault> {
    let access = match used.access() {
        OpAccess::Read | OpAccess::CondRead => Access::Read,
        OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite => {
            Access::Write
        }
        _ => return None,
    };
    let va = address(cpu, used)?;
    refused(guest, cpu, va, used.memory_size().size() as u64, access)
}

fn address(cpu: &Cpu, used: &UsedMemory) -> Option<u64> {
    let va = used.virtual_address(0, |register, _, _| value(cpu, register))?;
    Some(if cpu.mode() == Mode::Long {
        va
    } else {
        va & 0xffff_ffff
    })
}

/// The value of a register; the base, if it is a segment register.
fn value(cpu: &Cpu, register: Register) -> Option<u64> {
    let name = format!("{:?}", register.full_register());
    if register.is_segment_register() {
        // In 64-bit mode the others have no base.
        let flat = cpu.mode() == Mode::Long && !matches!(register, Register::FS | Register::GS);
        return Some(if flat { 0 } else { cpu.segment(&name).base });
    }
    let short = name.strip_prefix('R').map(|rest| format!("E{rest}"));
    let whole = cpu.get(&name).or_else(|| cpu.get(&short?))?;
    Some(match register.size() {
        8 => whole,
        size => whole & ((1 << (8 * size)) - 1),
    })
}

/// The selector that the instruction loads into a segment register or the task register.
fn selector(guest: &Guest<'_>, cpu: &Cpu, instruction: &Instruction) -> Option<u64> {
    if cpu.mode() == Mode::Real {
        return None;
    }
    let selector = if instruction.is_jmp_far() || instruction.is_call_far() {
        u64::from(instruction.far_branch_selector())
    } else if instruction.is_jmp_far_indirect() || instruction.is_call_far_indirect() {
        far_selector(guest, cpu, instruction)?
    } else {
        loaded(cpu, instruction)?
    };
    // The null selector leads to no descriptor.
    (selector & !3 != 0).then_some(selector)
}

/// `mov %ax, %fs`, `ltr %ax`: from a register.
fn loaded(cpu: &Cpu, instruction: &Instruction) -> Option<u64> {
    let is_register = |operand| instruction.op_kind(operand) == OpKind::Register;
    let source = match instruction.mnemonic() {
        Mnemonic::Ltr => 0,
        Mnemonic::Mov if is_register(0) && instruction.op0_register().is_segment_register() => 1,
        _ => return None,
    };
    is_register(source).then(|| value(cpu, instruction.op_register(source)).map(|value| value & 0xffff))?
}

/// A far pointer in memory: the offset, and behind it the selector.
fn far_selector(guest: &Guest<'_>, cpu: &Cpu, instruction: &Instruction) -> Option<u64> {
    let mut factory = InstructionInfoFactory::new();
    let used = *factory.info(instruction).used_memory().first()?;
    let behind = (used.memory_size().size() as u64).checked_sub(2)?;
    let at = address(cpu, &used)?.wrapping_add(behind);
    cpu.space(guest.arch).word(guest.memory, at, 2)
}

/// Why the descriptor of `selector` cannot be read.
pub fn descriptor(guest: &Guest<'_>, cpu: &Cpu, selector: u64) -> Option<Fault> {
    let table = cpu.segment("GDT");
    let offset = selector & !7;
    if offset + 7 > table.limit {
        return Some(Fault {
            vector: GENERAL_PROTECTION,
            what: format!(
                "needs selector {selector:#x}, and the GDT ends at {:#x}",
                table.limit
            ),
            walk: None,
        });
    }
    let fault = refused(guest, cpu, table.base.wrapping_add(offset), 8, Access::Read)?;
    Some(Fault {
        what: format!("needs selector {selector:#x} of the GDT: {}", fault.what),
        ..fault
    })
}

/// The base in the descriptor of `selector`, which can be read.
pub fn descriptor_base(guest: &Guest<'_>, cpu: &Cpu, selector: u64) -> Option<u64> {
    let at = cpu.segment("GDT").base.wrapping_add(selector & !7);
    let bytes = cpu.space(guest.arch).read(guest.memory, at, 8)?;
    Some(little(&bytes[2..5]) | u64::from(bytes[7]) << 24)
}
