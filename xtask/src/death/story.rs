//! The story of a death, in lines.

use super::x86::{DOUBLE_FAULT, Fault, Suspect, name};
use super::{Death, Guest, backtrace, tables};
use crate::arch::Arch;
use crate::guest::registers::{Cpu, Mode};
use crate::guest::space::Space;

/// A PC that was reset by a CPU that could not deliver a double fault.
pub fn triple_fault(guest: &Guest<'_>) -> Death {
    let suspects = guest
        .cpus
        .iter()
        .filter(|cpu| cpu.halted() != Some(true))
        .map(|cpu| (cpu, Suspect::of(guest, cpu)));
    let mut suspects: Vec<(&Cpu, Suspect)> = suspects.collect();
    let most = suspects.iter().map(|(_, suspect)| suspect.weight()).max();
    suspects.retain(|(_, suspect)| Some(suspect.weight()) == most && suspect.weight() > 0);
    let mut death = Death::default();
    match &suspects[..] {
        [] => {
            death.summary = "triple fault; which CPU it was is not known".into();
            death.lines = vec![
                "  every CPU that runs could have told of its exceptions: what happened is not known".into(),
            ];
        }
        [(cpu, suspect)] => {
            death.cpu = Some(cpu.index);
            death.summary = summary(guest, cpu, suspect);
        }
        several => {
            let list: Vec<String> = several.iter().map(|(cpu, _)| cpu.index.to_string()).collect();
            death.summary = format!("triple fault of one of the CPUs {}", list.join(", "));
        }
    }
    for (cpu, suspect) in &suspects {
        death.lines.extend(dead(guest, cpu, suspect));
    }
    death
}

fn summary(guest: &Guest<'_>, cpu: &Cpu, suspect: &Suspect) -> String {
    let place = guest.place(cpu);
    let place = place
        .first()
        .map_or(String::new(), |place| format!(" in {place}"));
    let faults = [&suspect.fault, &suspect.undelivered, &suspect.twice];
    let gap = faults.into_iter().flatten().find_map(|fault| {
        let walk = fault.walk.as_ref()?;
        Some(format!(
            ": {:#x} is not mapped, {}",
            walk.va,
            tables::gap(guest, walk)?
        ))
    });
    format!(
        "triple fault of CPU {}{place}{}",
        cpu.index,
        gap.unwrap_or_default()
    )
}

/// All of one CPU that died.
fn dead(guest: &Guest<'_>, cpu: &Cpu, suspect: &Suspect) -> Vec<String> {
    let space = cpu.space(guest.arch);
    let mut lines = vec![doing(guest, cpu)];
    lines.push(format!("  {}", registers(cpu)));
    lines.extend(place(guest, cpu));
    if let Some(text) = &suspect.instruction {
        lines.push(format!("  instruction: {text}"));
    }
    lines.extend(cause(guest, cpu, space, suspect));
    lines.extend(undelivered(guest, space, suspect));
    lines.extend(reachable(guest, cpu));
    lines.push(format!("  backtrace of CPU {}:", cpu.index));
    lines.extend(stack(guest, cpu, space));
    lines
}

/// The number, and what the kernel said it would do.
pub fn doing(guest: &Guest<'_>, cpu: &Cpu) -> String {
    let mode = match (guest.arch, cpu.mode()) {
        (Arch::Aarch64, _) => "",
        (_, Mode::Real) => ", in real mode",
        (_, Mode::Protected(16)) => ", in protected mode, 16 bits",
        (_, Mode::Protected(_)) if cpu.space(guest.arch) == Space::Physical => {
            ", in protected mode, paging off"
        }
        _ => "",
    };
    match phase(guest, cpu) {
        Some(phase) => format!("  CPU {}{mode}; it was: {phase}", cpu.index),
        None => format!("  CPU {}{mode}; what it was doing is not known", cpu.index),
    }
}

/// Logical numbers are given in the order of the firmware's list, which is QEMU's.
fn phase(guest: &Guest<'_>, cpu: &Cpu) -> Option<String> {
    guest.phase(cpu.index)
}

fn registers(cpu: &Cpu) -> String {
    let mut text = format!("pc={:#x} sp={:#x} fp={:#x}", cpu.pc(), cpu.sp(), cpu.fp());
    for name in ["CR0", "CR2", "CR3", "CR4", "EFER"] {
        if let Some(value) = cpu.get(name) {
            text.push_str(&format!(" {}={value:#x}", name.to_lowercase()));
        }
    }
    text
}

/// Where it stands.
pub fn place(guest: &Guest<'_>, cpu: &Cpu) -> Vec<String> {
    let frames = guest.place(cpu);
    let mut frames = frames.iter();
    let mut lines: Vec<String> = frames
        .next()
        .map(|name| format!("  at {name}"))
        .into_iter()
        .collect();
    lines.extend(frames.map(|name| format!("     inlined into {name}")));
    lines
}

/// The exception that began it.
fn cause(guest: &Guest<'_>, cpu: &Cpu, space: Space, suspect: &Suspect) -> Vec<String> {
    let Some(fault) = &suspect.fault else {
        let mut lines =
            vec!["  what exception it was is not known: the instruction could be executed".into()];
        lines.extend(last_page_fault(guest, cpu, space));
        return lines;
    };
    let mut lines = vec![format!(
        "  it {}: {} ({})",
        fault.what,
        name(fault.vector),
        fault.vector
    )];
    lines.extend(walked(guest, space, fault));
    lines
}

/// CR2, which the last page fault of all has left.
fn last_page_fault(guest: &Guest<'_>, cpu: &Cpu, space: Space) -> Vec<String> {
    let va = cpu.get("CR2").unwrap_or(0);
    let walk = space
        .walk(guest.memory, va)
        .filter(|walk| va != 0 && walk.page.is_none());
    let Some(walk) = walk else { return Vec::new() };
    let mut lines = vec![format!("  the last page fault of this CPU was at {va:#x}")];
    lines.extend(indented(tables::describe(guest, space, &walk)));
    lines
}

fn walked(guest: &Guest<'_>, space: Space, fault: &Fault) -> Vec<String> {
    let walk = fault
        .walk
        .as_ref()
        .map(|walk| tables::describe(guest, space, walk));
    indented(walk.unwrap_or_default())
}

fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("    {line}")).collect()
}

/// Why nobody was told.
fn undelivered(guest: &Guest<'_>, space: Space, suspect: &Suspect) -> Vec<String> {
    let mut lines = Vec::new();
    let mut told: Option<&Fault> = None;
    let first = suspect
        .fault
        .as_ref()
        .map_or("a page fault", |fault| name(fault.vector));
    for (what, fault) in [
        (first, &suspect.undelivered),
        (name(DOUBLE_FAULT), &suspect.twice),
    ] {
        let Some(fault) = fault else {
            lines.push(format!("  {what}: could be delivered"));
            continue;
        };
        lines.push(format!("  {what}: not delivered: {}", fault.what));
        let known = |other: &Fault| other.walk == fault.walk;
        if !suspect.fault.as_ref().is_some_and(known) && !told.is_some_and(known) {
            lines.extend(walked(guest, space, fault));
        }
        told = Some(fault);
    }
    lines
}

/// Whether what every exception needs is there.
fn reachable(guest: &Guest<'_>, cpu: &Cpu) -> Vec<String> {
    let space = cpu.space(guest.arch);
    let state = |va: u64| match space.walk(guest.memory, va).map(|walk| walk.page) {
        Some(Some(_)) => "mapped",
        Some(None) => "NOT MAPPED",
        None => "unknown",
    };
    let table = |name: &str| {
        let table = cpu.segment(name);
        format!(
            "{name} {:#x}+{:#x} {}",
            table.base,
            table.limit,
            state(table.base)
        )
    };
    let stack = cpu.sp().wrapping_sub(8);
    vec![format!(
        "  {}, {}, stack {:#x} {}",
        table("IDT"),
        table("GDT"),
        cpu.sp(),
        state(stack)
    )]
}

/// The backtrace, through the tables in use or, where they lack the stack, through the kernel's own.
pub fn stack(guest: &Guest<'_>, cpu: &Cpu, space: Space) -> Vec<String> {
    let mut lines = backtrace::named(0, guest.link_address(cpu), &guest.place(cpu));
    let is_there = |space: &Space| space.read(guest.memory, cpu.fp(), 1).is_some();
    let kernel = guest
        .kernel_space(space)
        .filter(|kernel| !is_there(&space) && is_there(kernel));
    if kernel.is_some() {
        lines.push("  (its tables lack the stack; read through the kernel's)".into());
    }
    lines.extend(backtrace::callers(guest, cpu, kernel.unwrap_or(space), 1));
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// A PC that was reset by one of its ports.
pub fn reset(guest: &Guest<'_>) -> Death {
    let mut death = Death {
        summary: "no triple fault: something asked for the reset".into(),
        ..Death::default()
    };
    let running: Vec<&Cpu> = guest
        .cpus
        .iter()
        .filter(|cpu| cpu.halted() != Some(true))
        .collect();
    if let [cpu] = running[..] {
        death.cpu = Some(cpu.index);
        death.summary = format!("{}; only CPU {} was running", death.summary, cpu.index);
    }
    // Whoever did it goes on for a while, but not far.
    for cpu in running.iter().take(4) {
        death.lines.push(doing(guest, cpu));
        death.lines.push(format!("  backtrace of CPU {}:", cpu.index));
        death.lines.extend(stack(guest, cpu, cpu.space(guest.arch)));
    }
    death
}

/// A line for each of the others.
pub fn others(guest: &Guest<'_>, death: &mut Death) {
    let others = guest.cpus.iter().filter(|cpu| Some(cpu.index) != death.cpu);
    let lines: Vec<String> = others.map(|cpu| other(guest, cpu)).collect();
    /// More would bury the story.
    const SHOWN: usize = 32;
    let left = lines.len().saturating_sub(SHOWN);
    death.lines.extend(lines.into_iter().take(SHOWN));
    if left > 0 {
        death.lines.push(format!("  and {left} more"));
    }
}

fn other(guest: &Guest<'_>, cpu: &Cpu) -> String {
    let place = guest.place(cpu);
    let place = place.first().map_or(String::new(), |place| format!(" {place}"));
    let halted = if cpu.halted() == Some(true) { " halted" } else { "" };
    let phase = phase(guest, cpu).map_or(String::new(), |phase| format!("; {phase}"));
    format!("  CPU {}:{halted} pc={:#x}{place}{phase}", cpu.index, cpu.pc())
}
