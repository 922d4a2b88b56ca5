//! Small tables that are nice to have.

use acpi::sdt::{hpet::HpetTable, mcfg::McfgEntry};

use crate::{
    AcpiInfo, ArmTimer, Hpet, PciSegment, SerialPort, layout::read as layout, present::Present, table::Table,
};

/// Header and eight reserved bytes.
const MCFG_FIXED_LEN: usize = 44;

/// PCI Express configuration windows. A last entry that is cut off is ignored, as seen on hardware.
pub(crate) fn mcfg(table: &Table<'_>, out: &mut AcpiInfo) {
    let entries = table.bytes.get(MCFG_FIXED_LEN..).unwrap_or_default();
    for e in entries
        .chunks_exact(size_of::<McfgEntry>())
        .filter_map(layout::<McfgEntry>)
    {
        let segment = PciSegment {
            base: e.base_address,
            segment: e.pci_segment_group,
            first_bus: e.bus_number_start,
            last_bus: e.bus_number_end,
        };
        out.entries_dropped += u32::from(out.pci_segments.try_push(segment).is_err());
    }
}

/// The event timer, if it is memory mapped, as all are.
pub(crate) fn hpet(table: &Table<'_>, out: &mut AcpiInfo) {
    let Some(t) = layout::<HpetTable>(table.bytes) else {
        return;
    };
    let base = t.base_address.address;
    if t.base_address.address_space == 0 && base != 0 {
        out.hpet.get_or_insert(Hpet {
            base,
            number: t.hpet_number,
            min_tick: t.clock_tick_unit,
        });
    }
}

fn word(table: &Table<'_>, at: usize) -> Option<u32> {
    let bytes = table.bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

/// Generic timer description table: two words for each timer, its interrupt and flags.
pub(crate) fn gtdt(table: &Table<'_>, out: &mut AcpiInfo) {
    const PHYSICAL: usize = 56;
    const VIRTUAL: usize = 64;
    const EDGE: u32 = 1;
    let timer = |at| Some((word(table, at)?, word(table, at + 4)? & EDGE != 0));
    if let (Some(physical), Some(virt)) = (timer(PHYSICAL), timer(VIRTUAL)) {
        out.arm_timer.get_or_insert(ArmTimer {
            physical,
            virt,
            present: Present::Yes,
        });
    }
}

/// Serial port console redirection table, if the port's registers are in memory.
pub(crate) fn spcr(table: &Table<'_>, out: &mut AcpiInfo) {
    const KIND: usize = 36;
    const SPACE: usize = 40;
    const BASE: usize = 44;
    const INTERRUPT_TYPE: usize = 52;
    const INTERRUPT: usize = 54;
    /// Interrupt type: a global interrupt, of the Arm kind or another.
    const GLOBAL: u8 = 1 << 3 | 1 << 1;
    let byte = |at: usize| table.bytes.get(at).copied();
    let (Some(kind), Some(0), Some(low), Some(high)) =
        (byte(KIND), byte(SPACE), word(table, BASE), word(table, BASE + 4))
    else {
        return;
    };
    let base = u64::from(high) << 32 | u64::from(low);
    let has_interrupt = byte(INTERRUPT_TYPE).is_some_and(|kind| kind & GLOBAL != 0);
    let interrupt = word(table, INTERRUPT).filter(|_| has_interrupt).unwrap_or(0);
    if base != 0 {
        out.serial.get_or_insert(SerialPort {
            kind,
            base,
            interrupt,
            present: Present::Yes,
        });
    }
}
