//! How an aarch64 machine dies without a word: a CPU that cannot fetch its own vectors takes the same exception for ever, or
//! somebody asks firmware for a reset.

use super::{Death, Guest, story, tables};
use crate::guest::registers::Cpu;
use crate::guest::space::{Space, little};

/// Where in a vector table a synchronous exception of the current level enters.
const SYNCHRONOUS: u64 = 0x200;

/// CPU `index` takes the exception at its own vectors for ever.
pub fn exception_loop(guest: &Guest<'_>, index: u32) -> Death {
    let Some(cpu) = guest.cpu(index) else {
        return Death::default();
    };
    let space = cpu.space(guest.arch);
    let vectors = cpu.get("VBAR").unwrap_or(cpu.pc().wrapping_sub(SYNCHRONOUS));
    let walk = space.walk(guest.memory, vectors.wrapping_add(SYNCHRONOUS));
    let gap = walk.as_ref().and_then(|walk| tables::gap(guest, walk));
    let gap = gap.map_or(String::new(), |gap| format!(", {gap}"));
    let mut lines = vec![story::doing(guest, cpu), format!("  {}", registers(cpu))];
    lines.push(format!(
        "  its vectors at {vectors:#x} cannot be executed: each attempt is the next exception"
    ));
    lines.extend(syndrome(cpu));
    if let Some(walk) = walk {
        let described = tables::describe(guest, space, &walk);
        lines.extend(described.into_iter().map(|line| format!("    {line}")));
    }
    lines.push("  what exception was first is not known: ELR_EL1 and ESR_EL1 tell of the last one".into());
    lines.push(format!("  backtrace of CPU {index}, from x30 on:"));
    lines.extend(callers(guest, cpu, space));
    Death {
        summary: format!(
            "CPU {index} takes the exception at {:#x} for ever: its vectors are not there{gap}",
            cpu.pc()
        ),
        cpu: Some(index),
        lines,
    }
}

fn registers(cpu: &Cpu) -> String {
    let mut text = format!("pc={:#x} sp={:#x} fp={:#x}", cpu.pc(), cpu.sp(), cpu.fp());
    for name in [
        "ESR_EL1",
        "FAR_EL1",
        "ELR_EL1",
        "VBAR",
        "TTBR0_EL1",
        "TTBR1_EL1",
        "SCTLR",
    ] {
        if let Some(value) = cpu.get(name) {
            text.push_str(&format!(" {}={value:#x}", name.to_lowercase()));
        }
    }
    text
}

/// ESR_EL1 in words (Arm ARM, "ESR_EL1, Exception Syndrome Register").
fn syndrome(cpu: &Cpu) -> Vec<String> {
    let Some(esr) = cpu.get("ESR_EL1") else {
        return Vec::new();
    };
    let class = match esr >> 26 & 0x3f {
        0x00 => "unknown instruction",
        0x15 => "SVC",
        0x20 | 0x21 => "instruction abort",
        0x22 => "program counter not aligned",
        0x24 | 0x25 => "data abort",
        0x26 => "stack pointer not aligned",
        0x2f => "SError",
        _ => "another class",
    };
    let status = match esr & 0x3f {
        0x00..=0x03 => "address size fault",
        0x04..=0x07 => "translation fault",
        0x09..=0x0b => "access flag fault",
        0x0d..=0x0f => "permission fault",
        0x10 => "external abort",
        _ => "another status",
    };
    let far = cpu.get("FAR_EL1").unwrap_or(0);
    vec![format!(
        "  the last one: {class}, {status} at level {}, address {far:#x}",
        esr & 3
    )]
}

/// The link register, then the frames.
fn callers(guest: &Guest<'_>, cpu: &Cpu, space: Space) -> Vec<String> {
    let mut lines = super::backtrace::line(guest, 0, cpu.get("X30").unwrap_or(0), true);
    lines.extend(super::backtrace::callers(guest, cpu, space, 1));
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// The machine was reset: by PSCI, unless a device did it.
pub fn reset(guest: &Guest<'_>) -> Death {
    let called = guest.cpus.iter().find_map(|cpu| Some((cpu, call(guest, cpu)?)));
    let Some((cpu, call)) = called else {
        return Death {
            summary: "a reset that nobody announced, and no CPU stands at a call to PSCI".into(),
            ..Death::default()
        };
    };
    let mut lines = vec![story::doing(guest, cpu), format!("  {}", registers(cpu))];
    lines.extend(story::place(guest, cpu));
    lines.push(format!("  backtrace of CPU {}:", cpu.index));
    lines.extend(story::stack(guest, cpu, cpu.space(guest.arch)));
    Death {
        summary: format!("CPU {} asked for the reset: PSCI {call}", cpu.index),
        cpu: Some(cpu.index),
        lines,
    }
}

/// The call to PSCI that `cpu` stands behind, if it is one that resets the machine (Arm DEN0022, "Function prototypes").
fn call(guest: &Guest<'_>, cpu: &Cpu) -> Option<&'static str> {
    const HVC: u64 = 0xd400_0002;
    const SMC: u64 = 0xd400_0003;
    let before = cpu.pc().wrapping_sub(4);
    let instruction = cpu.space(guest.arch).read(guest.memory, before, 4)?;
    if ![HVC, SMC].contains(&little(&instruction)) {
        return None;
    }
    match cpu.get("X00")? as u32 {
        0x8400_0009 => Some("SYSTEM_RESET"),
        0x8400_0012 | 0xc400_0012 => Some("SYSTEM_RESET2"),
        _ => None,
    }
}
