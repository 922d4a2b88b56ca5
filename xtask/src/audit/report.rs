//! What the kernel's report says, read from its memory: the console is not asked.

use std::fmt;

use anyhow::{Context, Result, bail};
use serde::{Serialize, Serializer};
use smp_stop::report::{Row, layout};
use smp_stop::{CpuState, Report, Why};

use super::machine::Vcpu;
use crate::kernel::elf::Elf;
use crate::vm::gdb::Stub;

/// A report as it lies in the guest's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Where, as the kernel sees it.
    pub address: u64,
    pub bytes: Vec<u8>,
}

/// What a report says of one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It owns the stop.
    Owner,
    /// It stands still for good.
    Parked,
    /// It was released and is off.
    Off,
    /// It was never released.
    NeverOn,
    /// It does not, or did not, stand still, and why.
    Silent(Why),
    /// Neither that it stands still, nor that it does not: the account has a hole. `None`: its word means nothing.
    Unaccounted(Option<CpuState>),
    /// Nothing: the kernel has no room for such a CPU, or was not told of it.
    Nothing,
}

/// The address of the report in `elf`, which every architecture's kernel has in a static of this name.
fn address(elf: &Elf) -> Result<u64> {
    elf.rust_symbol("kernel::account::STOP")
        .context("the kernel has no report")
}

impl Memory {
    /// Reads it through the page tables of the first of `cpus` that has the kernel's.
    ///
    /// # Errors
    /// When no CPU sees a report.
    pub fn read(stub: &mut Stub, elf: &Elf, cpus: &[Vcpu]) -> Result<Self> {
        let address = address(elf)?;
        for cpu in cpus {
            stub.look_from(cpu.index)?;
            let Ok(header) = stub.read(address, layout::HEADER_LEN) else {
                continue;
            };
            let Some(len) = signed(&header) else { continue };
            let bytes = stub.read(address, len)?;
            return Ok(Self { address, bytes });
        }
        bail!(
            "no CPU sees a report at {address:#x}: the kernel never stopped anything, or its memory is lost"
        )
    }

    /// The report.
    ///
    /// # Errors
    /// When these bytes are none.
    pub fn report(&self) -> Result<Report<'_>> {
        smp_stop::report::decode(&self.bytes).context("the report in the kernel's memory is damaged")
    }
}

/// The length of the report that begins with this header, if it is one.
fn signed(header: &[u8]) -> Option<usize> {
    let word = |at: usize| Some(u32::from_le_bytes(*header.get(at..)?.first_chunk()?));
    /// No report is longer: so many CPUs no machine here has.
    const MOST: usize = 16 << 20;
    let len = word(12)? as usize;
    (word(0)? == layout::MAGIC[0] && word(4)? == layout::MAGIC[1] && len <= MOST).then_some(len)
}

impl Says {
    /// What `row` says.
    pub fn of(row: &Row) -> Self {
        match (row.view, row.silent) {
            _ if row.owner => Self::Owner,
            _ if row.is_parked() => Self::Parked,
            (_, Some(why)) => Self::Silent(why),
            (Some(view), None) if view.state == CpuState::Off && view.was_released() => Self::Off,
            (Some(view), None) if view.state == CpuState::Off => Self::NeverOn,
            (view, None) => Self::Unaccounted(view.map(|view| view.state)),
        }
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::Parked => f.write_str("parked"),
            Self::Off => f.write_str("off"),
            Self::NeverOn => f.write_str("never on"),
            Self::Silent(why) => write!(f, "silent: {why}"),
            Self::Unaccounted(Some(state)) => write!(f, "{state}, not named"),
            Self::Unaccounted(None) => f.write_str("nonsense"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

impl Serialize for Says {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
