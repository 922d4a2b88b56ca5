//! The negative control: a report that lies. An audit that does not go red over it audits nothing.

use anyhow::{Context, Result};
use smp_stop::CpuState;
use smp_stop::report::layout::{HEADER_LEN, SLOT_LEN};

use super::report::Memory;
use crate::vm::gdb::Stub;

/// Offsets in a slot: the CPU's word, and the note that names it.
const WORD: u64 = 0;
const NOTE: u64 = 8;

/// Changes the report in the guest's memory: a CPU that is named as silent becomes one that is parked; where none is, one
/// that is parked becomes one that was asked and is not named. Returns the CPU.
///
/// # Errors
/// When there is nobody to lie about.
pub fn tell(stub: &mut Stub, memory: &Memory) -> Result<u32> {
    let report = memory.report()?;
    let silent = report.silent().iter().next();
    let (cpu, state) = match silent {
        Some(cpu) => (cpu, CpuState::Parked),
        None => {
            let parked = report.parked().iter().next();
            (parked.context("there is no CPU to lie about")?, CpuState::StopReq)
        }
    };
    let slot = memory.address + (HEADER_LEN + SLOT_LEN * cpu.as_usize()) as u64;
    let word = stub.read(slot + WORD, 4)?;
    let word = u32::from_le_bytes(*word.first_chunk().context("half a word")?);
    stub.write_u32(slot + WORD, word & !0xf | state as u32)?;
    stub.write_u32(slot + NOTE, 0)?;
    Ok(cpu.as_u32())
}
