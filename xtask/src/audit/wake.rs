//! What ends a CPU's wait, from outside: as devices do it, by a write to an interrupt controller.

use anyhow::{Context, Result, ensure};

use super::machine::{Seen, Shows};
use super::pass_time;
use super::survive::{POISON, Standee, Standing, ranges};
use crate::arch::Arch;
use crate::guest::registers;
use crate::guest::space::little;

/// Where a message-signalled interrupt goes on x86: bits 12 to 19 name the APIC (SDM Vol. 3A, 11.11.1).
const MSI: u64 = 0xfee0_0000;
/// Its data: the delivery mode NMI; and a fixed interrupt of a vector that nobody has.
const MSI_NMI: u32 = 4 << 8;
const MSI_FIXED: u32 = 0x70;

/// A GICv3 redistributor's frame of private interrupts, one to a CPU, and in it the registers that make some pending, or
/// no longer so.
const REDISTRIBUTOR: u64 = 0x2_0000;
const PRIVATE: u64 = 0x1_0000;
const SET_PENDING: u64 = PRIVATE + 0x200;
const CLEAR_PENDING: u64 = PRIVATE + 0x280;
/// The kernel's signal of last resort, which no priority mask of its own holds back.
const STOP_NOW: u32 = 1 << 2;

/// A flash chip's commands, which take it out of the memory map and put it back.
const FLASH_ID: u32 = 0x9090_9090;
const FLASH_ARRAY: u32 = 0xffff_ffff;

/// Wakes each of `standees` that is parked, one after the other, if anything can. Returns the kernel's numbers of those that
/// executed something; what is wrong goes to `findings`.
pub(super) fn all(
    machine: &mut Standing<'_>,
    standees: &[Standee],
    findings: &mut Vec<String>,
) -> Result<Vec<u32>> {
    let mut woken = Vec::new();
    for standee in standees {
        let is_woken = match (machine.arch.is_x86(), standee.shows) {
            (true, Shows::Parked) => by_nmi(machine, standee, findings)?,
            (false, Shows::Parked | Shows::Off) => by_sgi(machine, standee)?,
            _ => false,
        };
        woken.extend(standee.cpu.filter(|_| is_woken));
    }
    Ok(woken)
}

/// Sends an interrupt, which must do nothing, and an NMI, which must be taken: its frame is found where it belongs.
fn by_nmi(machine: &mut Standing<'_>, standee: &Standee, findings: &mut Vec<String>) -> Result<bool> {
    let frame = machine.elf.symbol("park_frame").context("no park_frame")?;
    // The stack pointer is a multiple of 16, and five words of 8 bytes are pushed, or three of 4. The last is where the
    // CPU was.
    let (width, at) = match machine.arch {
        Arch::X86_64 => (8, frame + 64 - 5 * 8),
        _ => (4, frame + 64 - 3 * 4),
    };
    let index = standee.vcpu.index;
    let poison = u32::from_le_bytes([POISON; 4]);
    machine.stub.look_from(index)?;
    // Where everything is overwritten nobody sees the page any more.
    if machine.stub.read(at, width).is_ok() {
        machine.stub.write_u32(at, poison)?;
    }
    let mut memory = machine.stub.physical()?;
    let apic = MSI | standee.vcpu.hw_id << 12;
    memory.write_u32(apic, MSI_FIXED)?;
    memory.write_u32(apic, MSI_NMI)?;
    drop(memory);
    pass_time(machine.stub, machine.qmp)?;
    machine.stub.look_from(index)?;
    let pushed = little(&machine.stub.read(at, width)?);
    let is_woken = pushed == standee.seen.pc;
    if !is_woken && !standee.has_taken_nmi {
        findings.push(format!(
            "QEMU's CPU {index}: an NMI left {pushed:#x} on its stack, not {:#x}",
            standee.seen.pc
        ));
    }
    Ok(is_woken)
}

/// Makes the kernel's own stop signal pending for the CPU. Where its part of the interrupt controller is silenced that does
/// nothing; else its WFI ends at once, each time.
fn by_sgi(machine: &mut Standing<'_>, standee: &Standee) -> Result<bool> {
    let text = machine.qmp.human("info mtree -f")?;
    let regions = ranges(&text, "memory", |kind| kind.contains("gicv3_redist_region"));
    let Some(first) = regions.and_then(|regions| regions.into_iter().next()) else {
        return Ok(false);
    };
    let at = first.start + REDISTRIBUTOR * u64::from(standee.vcpu.index);
    ensure!(at < first.end, "the CPU's redistributor lies elsewhere");
    machine.stub.physical()?.write_u32(at + SET_PENDING, STOP_NOW)?;
    pass_time(machine.stub, machine.qmp)?;
    let seen = Seen::look(machine.stub, machine.arch, standee.vcpu.index)?;
    machine.stub.physical()?.write_u32(at + CLEAR_PENDING, STOP_NOW)?;
    pass_time(machine.stub, machine.qmp)?;
    Ok(!seen.halted)
}

/// Has every CPU forget what it remembers of its page tables, so that what it needs of them it must find in memory.
pub(super) fn forget(machine: &mut Standing<'_>) -> Result<()> {
    if !machine.arch.is_x86() {
        // When the memory map changes, QEMU drops all translations.
        let mut memory = machine.stub.physical()?;
        memory.write_u32(0, FLASH_ID)?;
        return memory.write_u32(0, FLASH_ARRAY);
    }
    // As gdb counts them: after the general registers, the instruction pointer, the flags, nine for segments, CR0 and CR2.
    let cr3 = match machine.arch {
        Arch::X86_64 => 16 + 1 + 1 + 9 + 2,
        _ => 8 + 1 + 1 + 9 + 2,
    };
    for cpu in registers::parse(&machine.qmp.human("info registers -a")?) {
        if let Some(value) = cpu.get("CR3") {
            machine.stub.reload(cpu.index, cr3, value)?;
        }
    }
    Ok(())
}
