//! Small tables that are nice to have.

use acpi::sdt::{hpet::HpetTable, mcfg::McfgEntry};

use crate::{AcpiInfo, Hpet, PciSegment, layout::read as layout, table::Table};

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
