//! What ACPI says about a machine, as far as a kernel needs it to start, time, reset and power off:
//! CPUs, interrupt controllers, the fixed hardware block and the sleep values of S5.
//!
//! The layouts of the tables are those of the `acpi` crate. Finding tables and walking lists is
//! done here, because the crate trusts what firmware wrote: a length that is too small makes it
//! read beyond a table or never come back (see `docs/decisions/0006-acpi-walked-by-hand.md`). Here every length is
//! checked against what the caller's mapping function vouches for, so that any bytes whatsoever
//! lead to an [`AcpiInfo`] or an [`Error`], never to a panic.
//!
//! Nothing is allocated. [`AcpiInfo`] is about 42 KiB, all zero when empty: keep it in a static.
//!
//! ```
//! use acpi_info::{AcpiInfo, Error, read};
//!
//! let mut info = AcpiInfo::EMPTY;
//! let nothing_mapped = |_, _| None;
//! assert_eq!(read(0xf_0000, &nothing_mapped, &mut info), Err(Error::NoRsdp));
//! ```
#![cfg_attr(not(test), no_std)]

mod dsdt;
mod fadt;
mod info;
mod layout;
mod madt;
mod misc;
mod oddities;
mod present;
mod rsdp;
mod table;
#[cfg(test)]
mod tests;

use core::fmt;

pub use fadt::{Fixed, PmTimer, Register, Space};
pub use info::{
    AcpiInfo, ArmTimer, Cpu, CpuKind, GicDistributor, Hpet, IoApic, LocalNmi, MAX_CPUS, MAX_IO_APICS,
    MAX_OVERRIDES, NmiTarget, Override, PciSegment, Polarity, Region, SerialPort, SleepType, Trigger,
};
pub use oddities::{Oddity, Unread, UnreadWhy};
pub use rsdp::find_rsdp;

/// How tables are read: physical address and length to bytes, or `None` where that range is not
/// mapped as a whole.
pub type PhysMap<'f, 'm> = &'f dyn Fn(u64, usize) -> Option<&'m [u8]>;

/// Why there is no ACPI information at all. A single table that makes no sense is left out instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No root pointer at the address given, or its checksum is wrong.
    NoRsdp,
    /// Neither the XSDT nor the RSDT can be read.
    NoRootTable,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRsdp => "no ACPI root pointer",
            Self::NoRootTable => "no ACPI root table",
        })
    }
}

impl core::error::Error for Error {}

/// Fills `out`, which should be [`AcpiInfo::EMPTY`], from the tables that the root pointer at
/// physical address `rsdp` leads to.
///
/// # Errors
/// See [`Error`]; `out` is untouched then. With `Ok`, what a table did not say is absent in `out`.
pub fn read(rsdp: u64, phys: PhysMap, out: &mut AcpiInfo) -> Result<(), Error> {
    let root = rsdp::read(rsdp, phys).ok_or(Error::NoRsdp)?;
    let tables = table::root(&root, phys).ok_or(Error::NoRootTable)?;
    out.revision = root.revision;
    for table in tables.iter(phys) {
        out.tables += 1;
        match &table.signature {
            b"APIC" if out.madt_seen => {
                out.madt.others += 1;
                continue;
            }
            b"APIC" => madt::read(&table, out),
            b"FACP" if out.fixed.is_none() => fadt::read(&table, out),
            b"MCFG" => misc::mcfg(&table, out),
            b"GTDT" => misc::gtdt(&table, out),
            b"SPCR" => misc::spcr(&table, out),
            b"HPET" => misc::hpet(&table, out),
            _ => continue,
        }
        out.bad_checksums += u32::from(!table.checksum_ok());
    }
    dsdt::find_s5(&tables, phys, out);
    Ok(())
}
