//! Whether an exception can be delivered: what the CPU reads and writes between the fault and its handler's first instruction
//! (SDM volume 3A, "Exception- or Interrupt-Handler Procedures", "Task Gates").

use super::instruction::{descriptor, descriptor_base};
use super::{Access, Fault, GENERAL_PROTECTION, refused};
use crate::death::Guest;
use crate::guest::registers::{Cpu, Mode};
use crate::guest::space::little;

/// What is pushed, less what differs by vector: enough to see whether the stack is there.
const PUSHED: u64 = 12;
/// A 32-bit task state segment.
const TASK_STATE: u64 = 104;

/// Why exception `vector` cannot be delivered; `None` if it can.
pub fn obstacle(guest: &Guest<'_>, cpu: &Cpu, vector: u8) -> Option<Fault> {
    let delivered = match cpu.mode() {
        Mode::Real => real(cpu, vector),
        _ if is_long(cpu) => long(guest, cpu, vector),
        _ => protected(guest, cpu, vector),
    };
    delivered.err()
}

/// IA-32e mode, compatibility mode included: gates have 16 bytes.
fn is_long(cpu: &Cpu) -> bool {
    cpu.get("EFER").unwrap_or(0) & 1 << 10 != 0
}

fn no_gate(limit: u64, vector: u8) -> Fault {
    Fault {
        vector: GENERAL_PROTECTION,
        what: format!("the IDT ends at {limit:#x}, there is no gate {vector}"),
        walk: None,
    }
}

fn real(cpu: &Cpu, vector: u8) -> Result<(), Fault> {
    let limit = cpu.segment("IDT").limit;
    match u64::from(vector) * 4 + 3 > limit {
        true => Err(no_gate(limit, vector)),
        false => Ok(()),
    }
}

/// An access that delivery makes; `what` it is for.
fn access(
    guest: &Guest<'_>,
    cpu: &Cpu,
    what: &str,
    (va, bytes): (u64, u64),
    access: Access,
) -> Result<(), Fault> {
    match refused(guest, cpu, va, bytes, access) {
        None => Ok(()),
        Some(fault) => Err(Fault {
            what: format!("{what} {}", fault.what),
            ..fault
        }),
    }
}

/// The segment that `what` needs.
fn segment(guest: &Guest<'_>, cpu: &Cpu, what: &str, selector: u64) -> Result<(), Fault> {
    match descriptor(guest, cpu, selector) {
        None => Ok(()),
        Some(fault) => Err(Fault {
            what: format!("{what} {}", fault.what),
            ..fault
        }),
    }
}

/// The gate's bytes.
fn gate(guest: &Guest<'_>, cpu: &Cpu, vector: u8, size: u64) -> Result<Vec<u8>, Fault> {
    let table = cpu.segment("IDT");
    let offset = u64::from(vector) * size;
    if offset + size - 1 > table.limit {
        return Err(no_gate(table.limit, vector));
    }
    let at = table.base.wrapping_add(offset);
    access(guest, cpu, "the gate's lookup", (at, size), Access::Read)?;
    let bytes = cpu.space(guest.arch).read(guest.memory, at, size as usize);
    /// The gate's present bit.
    const PRESENT: u8 = 1 << 7;
    match bytes {
        Some(bytes) if bytes[5] & PRESENT != 0 => Ok(bytes),
        _ => Err(Fault {
            vector: 11,
            what: format!("gate {vector} of the IDT at {:#x} is empty", table.base),
            walk: None,
        }),
    }
}

fn long(guest: &Guest<'_>, cpu: &Cpu, vector: u8) -> Result<(), Fault> {
    let bytes = gate(guest, cpu, vector, 16)?;
    let handler = little(&bytes[0..2]) | little(&bytes[6..12]) << 16;
    let own_stack = u64::from(bytes[4] & 7);
    segment(guest, cpu, "the handler", little(&bytes[2..4]))?;
    let stack = match own_stack {
        0 => cpu.sp() & !15,
        n => {
            let at = cpu.segment("TR").base.wrapping_add(0x24 + 8 * (n - 1));
            access(guest, cpu, "the task state's lookup", (at, 8), Access::Read)?;
            cpu.space(guest.arch).word(guest.memory, at, 8).unwrap_or(0)
        }
    };
    stack_and_handler(guest, cpu, stack, handler)
}

fn stack_and_handler(guest: &Guest<'_>, cpu: &Cpu, stack: u64, handler: u64) -> Result<(), Fault> {
    let frame = stack.wrapping_sub(PUSHED);
    access(guest, cpu, "the frame's push", (frame, PUSHED), Access::Write)?;
    access(guest, cpu, "the handler", (handler, 1), Access::Execute)
}

fn protected(guest: &Guest<'_>, cpu: &Cpu, vector: u8) -> Result<(), Fault> {
    /// The type of a gate that leads to a task.
    const TASK_GATE: u8 = 5;
    let bytes = gate(guest, cpu, vector, 8)?;
    let selector = little(&bytes[2..4]);
    segment(guest, cpu, "the handler", selector)?;
    if bytes[5] & 0x1f == TASK_GATE {
        return task(guest, cpu, selector);
    }
    let handler = little(&bytes[0..2]) | little(&bytes[6..8]) << 16;
    let stack = cpu.segment("SS").base.wrapping_add(cpu.sp()) & 0xffff_ffff;
    stack_and_handler(guest, cpu, stack, handler)
}

/// A task gate: the state that is left is written, the new one is read and marked.
fn task(guest: &Guest<'_>, cpu: &Cpu, selector: u64) -> Result<(), Fault> {
    let old = (cpu.segment("TR").base, TASK_STATE);
    access(guest, cpu, "saving the running task", old, Access::Write)?;
    match descriptor_base(guest, cpu, selector) {
        Some(base) => access(
            guest,
            cpu,
            "the exception's task",
            (base, TASK_STATE),
            Access::Write,
        ),
        None => Ok(()),
    }
}
