//! Fixed ACPI description table: the registers of power, reset and the PM timer (ACPI 6.5, 5.2.9).

use acpi::{
    address::RawGenericAddress,
    sdt::{ExtendedField, fadt},
};

use crate::{
    AcpiInfo,
    layout::{extended, read as layout},
    present::Present,
    table::Table,
};

/// Flags of the table.
const TMR_VAL_EXT: u32 = 1 << 8;
const RESET_REG_SUP: u32 = 1 << 10;
const HW_REDUCED_ACPI: u32 = 1 << 20;
/// Offset of the flags: the crate keeps the bits private and has no name for some.
const FLAGS_AT: usize = 112;
const IAPC_BOOT_ARCH_AT: usize = 109;
const ARM_BOOT_ARCH_AT: usize = 129;

/// Where a register lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Physical memory.
    Memory,
    /// I/O ports.
    Io,
    /// PCI configuration space of segment 0, bus 0.
    PciConfig,
    /// Anything else, by its number.
    Other(u8),
}

/// A generic address (ACPI 6.5, 5.2.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Where.
    pub space: Space,
    /// Address in that space.
    pub address: u64,
    /// Width in bits; 0 where the firmware left it out.
    pub width: u8,
    /// Offset in bits.
    pub offset: u8,
}

/// The 3.579545 MHz timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PmTimer {
    /// Its register.
    pub register: Register,
    /// It counts 32 bits, else 24.
    pub is_32bit: bool,
}

/// What the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Revision of the table.
    pub revision: u8,
    /// System control interrupt.
    pub sci: u16,
    /// PM timer, if there is one.
    pub pm_timer: Option<PmTimer>,
    /// Register and value that reset the machine, if the platform says that they do.
    pub reset: Option<(Register, u8)>,
    /// PM1a control block: `SLP_TYP` and `SLP_EN`.
    pub pm1a_control: Option<Register>,
    /// PM1b control block; to be written too where it exists.
    pub pm1b_control: Option<Register>,
    /// Port that hands the hardware over to us, and the value to write to it; `None` where there is
    /// no legacy mode to leave (ACPI 6.5, 5.2.9, `SMI_CMD`).
    pub acpi_enable: Option<(u16, u8)>,
    /// No fixed hardware: power goes through `sleep_control`.
    pub hw_reduced: bool,
    /// Sleep control register of hardware-reduced platforms.
    pub sleep_control: Option<Register>,
    /// Sleep status register of hardware-reduced platforms.
    pub sleep_status: Option<Register>,
    /// `IAPC_BOOT_ARCH`: bit 0 legacy devices, bit 1 an 8042 keyboard controller.
    pub pc_boot_flags: u16,
    /// PSCI is there.
    pub psci: bool,
    /// PSCI is called by HVC, else by SMC.
    pub psci_hvc: bool,
    present: Present,
}

pub(crate) fn read(table: &Table<'_>, out: &mut AcpiInfo) {
    let Some(t) = layout::<fadt::Fadt>(table.bytes) else {
        return;
    };
    let rev = table.revision;
    let flags = flags_at(table, FLAGS_AT) | flags_at(table, FLAGS_AT + 2) << 16;
    let arm = flags_at(table, ARM_BOOT_ARCH_AT);
    let (reset, smi) = (register(t.reset_reg), t.smi_cmd_port);
    out.dsdt = Some(address(t.x_dsdt_address, rev, t.dsdt_address)).filter(|&at| at != 0);
    out.fixed = Some(Fixed {
        revision: rev,
        sci: t.sci_interrupt,
        pm_timer: pm_timer(&t, rev, flags & TMR_VAL_EXT != 0),
        reset: reset
            .filter(|_| flags & RESET_REG_SUP != 0)
            .map(|r| (r, t.reset_value)),
        pm1a_control: block(t.x_pm1a_control_block, rev, t.pm1a_control_block, 16),
        pm1b_control: block(t.x_pm1b_control_block, rev, t.pm1b_control_block, 16),
        acpi_enable: u16::try_from(smi)
            .ok()
            .filter(|&port| port != 0)
            .map(|port| (port, t.acpi_enable)),
        hw_reduced: flags & HW_REDUCED_ACPI != 0,
        sleep_control: extended(t.sleep_control_reg, rev).and_then(register),
        sleep_status: extended(t.sleep_status_reg, rev).and_then(register),
        pc_boot_flags: flags_at(table, IAPC_BOOT_ARCH_AT) as u16,
        psci: arm & 1 != 0,
        psci_hvc: arm & 2 != 0,
        present: Present::Yes,
    });
}

fn pm_timer(t: &fadt::Fadt, rev: u8, is_32bit: bool) -> Option<PmTimer> {
    // A length other than 4 means that there is none.
    let register = block(t.x_pm_timer_block, rev, t.pm_timer_block, 32).filter(|_| t.pm_timer_length == 4)?;
    Some(PmTimer { register, is_32bit })
}

/// The 64-bit field if it is there and not 0, else the 32-bit one.
fn address<const R: u8>(wide: ExtendedField<u64, R>, rev: u8, narrow: u32) -> u64 {
    extended(wide, rev)
        .filter(|&at| at != 0)
        .unwrap_or(u64::from(narrow))
}

/// The same for register blocks, of which the 32-bit form is an I/O port.
fn block<const R: u8>(
    wide: ExtendedField<RawGenericAddress, R>,
    rev: u8,
    port: u32,
    width: u8,
) -> Option<Register> {
    let narrow = Register {
        space: Space::Io,
        address: u64::from(port),
        width,
        offset: 0,
    };
    extended(wide, rev)
        .and_then(register)
        .or(Some(narrow).filter(|_| port != 0))
}

/// A register at address 0 does not exist.
fn register(raw: RawGenericAddress) -> Option<Register> {
    let space = match raw.address_space {
        0 => Space::Memory,
        1 => Space::Io,
        2 => Space::PciConfig,
        other => Space::Other(other),
    };
    let address = raw.address;
    Some(Register {
        space,
        address,
        width: raw.bit_width,
        offset: raw.bit_offset,
    })
    .filter(|_| address != 0)
}

fn flags_at(table: &Table<'_>, at: usize) -> u32 {
    table
        .bytes
        .get(at..at + 2)
        .map_or(0, |b| u32::from(u16::from_le_bytes([b[0], b[1]])))
}
