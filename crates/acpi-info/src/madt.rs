//! Multiple APIC description table: CPUs and interrupt controllers (ACPI 6.5, 5.2.12).

use acpi::sdt::madt;
use arrayvec::ArrayVec;

use crate::{
    AcpiInfo, Cpu, CpuKind, GicDistributor, IoApic, LocalNmi, NmiTarget, Override, Polarity, Region, Trigger,
    layout::{Plain, read as layout},
    oddities::{Unread, UnreadWhy},
    table::Table,
};

/// Header, local APIC address, flags.
const FIXED_LEN: usize = 44;
/// Flag: the machine also has two 8259s.
const PCAT_COMPAT: u32 = 1;

/// Entries looked at: an order of magnitude more than the largest machine has. Each may be compared
/// with all CPUs known, so the table's length alone would be too loose a bound.
const MAX_ENTRIES: usize = 16 * 1024;

const LAPIC_ENABLED: u32 = 1 << 0;
const LAPIC_ONLINE_CAPABLE: u32 = 1 << 1;
const LAPIC_FLAGS: u32 = LAPIC_ENABLED | LAPIC_ONLINE_CAPABLE;
const GICC_ENABLED: u32 = 1 << 0;
const GICC_ONLINE_CAPABLE: u32 = 1 << 3;
/// Those, and the trigger modes of two interrupts.
const GICC_FLAGS: u32 = GICC_ENABLED | 1 << 1 | 1 << 2 | GICC_ONLINE_CAPABLE;

/// Not an id but "all": 8 bits of xAPIC, 32 of x2APIC.
const XAPIC_BROADCAST: u8 = 0xff;
const X2APIC_BROADCAST: u32 = 0xffff_ffff;
/// The affinity fields of MPIDR_EL1; the rest of the field must be 0 (ACPI 6.5, table 5.36).
const AFFINITY: u64 = 0xff_00ff_ffff;

pub(crate) fn read(table: &Table<'_>, out: &mut AcpiInfo) {
    out.madt_seen = true;
    let Some((fixed, mut entries)) = table.bytes.split_at_checked(FIXED_LEN) else {
        out.madt.unread = Some(Unread::new(UnreadWhy::NoFields, table.bytes.len()));
        return;
    };
    let word = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    out.local_apic = Some(u64::from(word(36))).filter(|&at| at != 0);
    out.has_8259 = word(40) & PCAT_COMPAT != 0;
    for _ in 0..MAX_ENTRIES {
        let [kind, len, ..] = *entries else { return };
        // An entry says how long it is. Less than its own head would mean walking on the spot.
        let len = usize::from(len);
        let why = match len {
            0 | 1 => UnreadWhy::NoLength,
            _ if len > entries.len() => UnreadWhy::CutOff,
            _ => {
                let (entry, rest) = entries.split_at(len);
                entries = rest;
                take(kind, entry, out);
                continue;
            }
        };
        out.entries_dropped += 1;
        out.madt.unread = Some(Unread::new(why, entries.len()));
        return;
    }
    if entries.len() >= 2 {
        out.madt.unread = Some(Unread::new(UnreadWhy::TooMany, entries.len()));
    }
}

fn take(kind: u8, entry: &[u8], out: &mut AcpiInfo) {
    match kind {
        0x0 => with(entry, out, local_apic),
        0x1 => with(entry, out, io_apic),
        0x2 => with(entry, out, source_override),
        0x4 => with(entry, out, local_nmi),
        0x5 => with(entry, out, |e: madt::LocalApicAddressOverrideEntry, out| {
            out.local_apic = Some(e.local_apic_address);
        }),
        0x9 => with(entry, out, local_x2apic),
        0xa => with(entry, out, x2apic_nmi),
        0xb => with(entry, out, gicc),
        0xc => with(entry, out, gicd),
        0xe => with(entry, out, gicr),
        _ => {}
    }
}

fn with<T: Plain>(entry: &[u8], out: &mut AcpiInfo, f: fn(T, &mut AcpiInfo)) {
    match layout::<T>(entry) {
        Some(value) => f(value, out),
        None => {
            out.entries_dropped += 1;
            out.madt.short += 1;
            out.madt.short_cpus |= matches!(entry[0], 0x0 | 0x9 | 0xb);
        }
    }
}

fn local_apic(e: madt::LocalApicEntry, out: &mut AcpiInfo) {
    let flags = e.flags;
    let cpu = Cpu {
        hw_id: u64::from(e.apic_id),
        uid: u32::from(e.processor_id),
        enabled: flags & LAPIC_ENABLED != 0,
        online_capable: flags & LAPIC_ONLINE_CAPABLE != 0,
        kind: CpuKind::LocalApic,
    };
    note_flags(flags, LAPIC_FLAGS, out);
    add_cpu(cpu, e.apic_id != XAPIC_BROADCAST, out);
}

fn local_x2apic(e: madt::LocalX2ApicEntry, out: &mut AcpiInfo) {
    let (flags, id) = (e.flags, e.x2apic_id);
    let cpu = Cpu {
        hw_id: u64::from(id),
        uid: e.processor_uid,
        enabled: flags & LAPIC_ENABLED != 0,
        online_capable: flags & LAPIC_ONLINE_CAPABLE != 0,
        kind: CpuKind::LocalX2Apic,
    };
    note_flags(flags, LAPIC_FLAGS, out);
    add_cpu(cpu, id != X2APIC_BROADCAST, out);
}

fn gicc(e: madt::GiccEntry, out: &mut AcpiInfo) {
    let (flags, id) = (e.flags, e.mpidr);
    let cpu = Cpu {
        hw_id: id,
        uid: e.processor_uid,
        enabled: flags & GICC_ENABLED != 0,
        online_capable: flags & GICC_ONLINE_CAPABLE != 0,
        kind: CpuKind::Gicc {
            interface: e.gic_registers_address,
            redistributor: e.gicr_base_address,
        },
    };
    note_flags(flags, GICC_FLAGS, out);
    add_cpu(cpu, id & !AFFINITY == 0, out);
}

fn note_flags(flags: u32, known: u32, out: &mut AcpiInfo) {
    out.madt.unknown_flags += u32::from(flags & !known != 0);
}

/// Firmware may list a CPU twice, as APIC and as x2APIC; the first entry that is enabled stays.
fn add_cpu(cpu: Cpu, valid: bool, out: &mut AcpiInfo) {
    if !cpu.enabled && !cpu.online_capable {
        out.cpus_disabled += 1;
    } else if !valid {
        out.cpus_bad += 1;
        out.madt.no_id += 1;
    } else if let Some(known) = out.cpus.iter_mut().find(|known| known.hw_id == cpu.hw_id) {
        out.cpus_bad += 1;
        out.madt.repeated += 1;
        if cpu.enabled && !known.enabled {
            *known = cpu;
        }
    } else if out.cpus.try_push(cpu).is_err() {
        out.cpus_dropped += 1;
    }
}

fn io_apic(e: madt::IoApicEntry, out: &mut AcpiInfo) {
    let new = IoApic {
        id: e.io_apic_id,
        address: e.io_apic_address,
        gsi_base: e.global_system_interrupt_base,
    };
    push(&mut out.io_apics, new, &mut out.entries_dropped);
}

fn source_override(e: madt::InterruptSourceOverrideEntry, out: &mut AcpiInfo) {
    // Bus 0 is ISA; there is no other.
    if e.bus != 0 || e.irq > 15 {
        out.entries_dropped += 1;
        out.madt.no_such_line += 1;
        return;
    }
    let (polarity, trigger) = manners(e.flags);
    let new = Override {
        isa_irq: e.irq,
        gsi: e.global_system_interrupt,
        polarity,
        trigger,
    };
    push(&mut out.overrides, new, &mut out.entries_dropped);
}

fn local_nmi(e: madt::LocalApicNmiEntry, out: &mut AcpiInfo) {
    let target = if e.processor_id == 0xff {
        NmiTarget::All
    } else {
        NmiTarget::Uid(u32::from(e.processor_id))
    };
    add_nmi(target, e.nmi_line, e.flags, out);
}

fn x2apic_nmi(e: madt::X2ApicNmiEntry, out: &mut AcpiInfo) {
    let uid = e.processor_uid;
    let target = if uid == u32::MAX {
        NmiTarget::All
    } else {
        NmiTarget::Uid(uid)
    };
    add_nmi(target, e.nmi_line, e.flags, out);
}

fn add_nmi(target: NmiTarget, lint: u8, flags: u16, out: &mut AcpiInfo) {
    if lint > 1 {
        out.entries_dropped += 1;
        out.madt.no_such_line += 1;
        return;
    }
    let (polarity, trigger) = manners(flags);
    push(
        &mut out.local_nmis,
        LocalNmi {
            target,
            lint,
            polarity,
            trigger,
        },
        &mut out.entries_dropped,
    );
}

/// MPS INTI flags (ACPI 6.5, table 5.25). The reserved patterns are read as "as the bus has it".
fn manners(flags: u16) -> (Polarity, Trigger) {
    let polarity = match flags & 3 {
        1 => Polarity::High,
        3 => Polarity::Low,
        _ => Polarity::Bus,
    };
    let trigger = match flags >> 2 & 3 {
        1 => Trigger::Edge,
        3 => Trigger::Level,
        _ => Trigger::Bus,
    };
    (polarity, trigger)
}

fn gicd(e: madt::GicdEntry, out: &mut AcpiInfo) {
    let (base, version) = (e.physical_base_address, e.gic_version);
    out.gic_distributor
        .get_or_insert(GicDistributor { base, version });
}

fn gicr(e: madt::GicRedistributorEntry, out: &mut AcpiInfo) {
    let new = Region {
        base: e.discovery_range_base_address,
        len: u64::from(e.discovery_range_length),
    };
    push(&mut out.gic_redistributors, new, &mut out.entries_dropped);
}

fn push<T, const N: usize>(list: &mut ArrayVec<T, N>, item: T, dropped: &mut u32) {
    *dropped += u32::from(list.try_push(item).is_err());
}
