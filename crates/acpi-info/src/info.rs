//! The result, in plain fields.

use arrayvec::ArrayVec;

use crate::{Fixed, oddities::MadtOddities, present::Present};

/// CPUs kept; more are counted in [`AcpiInfo::cpus_dropped`].
pub const MAX_CPUS: usize = 1024;
/// IO-APICs kept.
pub const MAX_IO_APICS: usize = 64;
/// Interrupt source overrides kept; there are 16 ISA interrupts.
pub const MAX_OVERRIDES: usize = 32;

/// How a CPU is known to the interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuKind {
    /// Local APIC, 8-bit id.
    LocalApic,
    /// Local x2APIC, 32-bit id.
    LocalX2Apic,
    /// GIC CPU interface; the id holds the affinity fields of MPIDR_EL1.
    Gicc {
        /// Physical address of the memory-mapped CPU interface (GICv2), 0 if there is none.
        interface: u64,
        /// Physical address of its redistributor (GICv3), 0 if a GICR structure tells.
        redistributor: u64,
    },
}

/// A CPU that exists or may be plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Hardware id: APIC id (up to 32 bits, sparse) or MPIDR_EL1 affinity.
    pub hw_id: u64,
    /// ACPI processor UID: what the namespace and [`NmiTarget`] call it.
    pub uid: u32,
    /// Usable now. Only such a CPU may be started.
    pub enabled: bool,
    /// Not usable now, but the platform may enable it later.
    pub online_capable: bool,
    /// How the interrupt controller knows it.
    pub kind: CpuKind,
}

/// An IO-APIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoApic {
    /// Its id.
    pub id: u8,
    /// Physical address of its registers.
    pub address: u32,
    /// First global system interrupt it serves.
    pub gsi_base: u32,
}

/// Active level of an interrupt line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Polarity {
    /// As the bus has it: active high on ISA.
    #[default]
    Bus,
    /// Active high.
    High,
    /// Active low.
    Low,
}

/// Trigger mode of an interrupt line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trigger {
    /// As the bus has it: edge on ISA.
    #[default]
    Bus,
    /// Edge.
    Edge,
    /// Level.
    Level,
}

/// An ISA interrupt that is not identity mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    /// ISA interrupt number, 0 to 15.
    pub isa_irq: u8,
    /// Where it really arrives.
    pub gsi: u32,
    /// Active level.
    pub polarity: Polarity,
    /// Trigger mode.
    pub trigger: Trigger,
}

/// Which CPUs a local NMI is wired to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NmiTarget {
    /// All of them.
    All,
    /// The one with this processor UID.
    Uid(u32),
}

/// A local interrupt pin that carries NMI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalNmi {
    /// On which CPUs.
    pub target: NmiTarget,
    /// LINT pin, 0 or 1.
    pub lint: u8,
    /// Active level.
    pub polarity: Polarity,
    /// Trigger mode.
    pub trigger: Trigger,
}

/// The GIC distributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GicDistributor {
    /// Physical address.
    pub base: u64,
    /// 1 to 4, or 0 where the hardware must be asked.
    pub version: u8,
}

/// A range of device registers, physical, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub base: u64,
    /// Length.
    pub len: u64,
}

/// The values to write to `SLP_TYPa` and `SLP_TYPb`, 0 to 7 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SleepType {
    /// For PM1a, and for the sleep control register.
    pub a: u8,
    /// For PM1b.
    pub b: u8,
}

/// A PCI Express configuration window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciSegment {
    /// Physical address of the window for bus 0 of the segment.
    pub base: u64,
    /// Segment group.
    pub segment: u16,
    /// First bus served.
    pub first_bus: u8,
    /// Last bus served.
    pub last_bus: u8,
}

/// The high precision event timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hpet {
    /// Physical address of its registers.
    pub base: u64,
    /// Its number.
    pub number: u8,
    /// Smallest interval in periodic mode, in ticks.
    pub min_tick: u16,
}

/// The interrupts of Arm's generic timer (ACPI 6.5, 5.2.25), each a number and whether it is edge triggered; 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArmTimer {
    /// Non-secure EL1 physical timer.
    pub physical: (u32, bool),
    /// Virtual timer.
    pub virt: (u32, bool),
    pub(crate) present: Present,
}

/// The serial port that firmware calls its console (Serial Port Console Redirection table, 1.08).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialPort {
    /// What it is, as the Debug Port Table 2 numbers it.
    pub kind: u8,
    /// Physical address of its registers, in memory.
    pub base: u64,
    /// Its global interrupt; 0 for none.
    pub interrupt: u32,
    pub(crate) present: Present,
}

impl SerialPort {
    /// Whether it is a PL011, or what Arm's SBSA makes of one.
    #[must_use]
    pub const fn is_pl011(&self) -> bool {
        matches!(self.kind, 0x03 | 0x0d | 0x0e)
    }
}

/// Everything.
#[derive(Clone, Debug)]
pub struct AcpiInfo {
    /// Revision of the root pointer: 0 for ACPI 1.0, 2 for everything later.
    pub revision: u8,
    /// Tables seen.
    pub tables: u32,
    /// Tables whose checksum is wrong. They are read all the same, as other systems do: firmware is
    /// careless with checksums, and every field is checked anyway.
    pub bad_checksums: u32,
    /// CPUs, each hardware id once, in the table's order, which need not begin with the boot CPU.
    pub cpus: ArrayVec<Cpu, MAX_CPUS>,
    /// CPUs that did not fit.
    pub cpus_dropped: u32,
    /// Entries for CPUs that are neither enabled nor ever will be.
    pub cpus_disabled: u32,
    /// Entries with an id that is repeated or cannot be one.
    pub cpus_bad: u32,
    /// Physical address of the local APIC, by the 64-bit override if there is one.
    pub local_apic: Option<u64>,
    /// The machine also has two 8259s, to be masked before the IO-APIC is used.
    pub has_8259: bool,
    /// IO-APICs.
    pub io_apics: ArrayVec<IoApic, MAX_IO_APICS>,
    /// ISA interrupts that are not identity mapped.
    pub overrides: ArrayVec<Override, MAX_OVERRIDES>,
    /// Local NMI pins.
    pub local_nmis: ArrayVec<LocalNmi, 32>,
    /// GIC distributor.
    pub gic_distributor: Option<GicDistributor>,
    /// GIC redistributor regions. Empty on a GICv3 means that each CPU names its own.
    pub gic_redistributors: ArrayVec<Region, 16>,
    /// Entries of a list above that did not fit, or an entry the MADT cuts off.
    pub entries_dropped: u32,
    /// The fixed hardware block.
    pub fixed: Option<Fixed>,
    /// How to enter S5, soft off.
    pub s5: Option<SleepType>,
    /// PCI Express configuration windows.
    pub pci_segments: ArrayVec<PciSegment, 16>,
    /// High precision event timer.
    pub hpet: Option<Hpet>,
    /// Arm's generic timer.
    pub arm_timer: Option<ArmTimer>,
    /// The console.
    pub serial: Option<SerialPort>,
    pub(crate) madt: MadtOddities,
    pub(crate) madt_seen: bool,
    pub(crate) dsdt: Option<u64>,
}

impl AcpiInfo {
    /// Nothing known; all zero bytes, so a static of it costs no image space.
    pub const EMPTY: Self = Self {
        revision: 0,
        tables: 0,
        bad_checksums: 0,
        cpus: ArrayVec::new_const(),
        cpus_dropped: 0,
        cpus_disabled: 0,
        cpus_bad: 0,
        local_apic: None,
        has_8259: false,
        io_apics: ArrayVec::new_const(),
        overrides: ArrayVec::new_const(),
        local_nmis: ArrayVec::new_const(),
        gic_distributor: None,
        gic_redistributors: ArrayVec::new_const(),
        entries_dropped: 0,
        fixed: None,
        s5: None,
        pci_segments: ArrayVec::new_const(),
        hpet: None,
        arm_timer: None,
        serial: None,
        madt: MadtOddities::EMPTY,
        madt_seen: false,
        dsdt: None,
    };

    /// The CPUs that may be started.
    pub fn startable(&self) -> impl Iterator<Item = &Cpu> {
        self.cpus.iter().filter(|cpu| cpu.enabled)
    }

    /// Where an ISA interrupt arrives, and how: its override, or the identity with the bus's manners.
    #[must_use]
    pub fn isa_irq(&self, isa_irq: u8) -> Override {
        let identity = Override {
            isa_irq,
            gsi: u32::from(isa_irq),
            polarity: Polarity::Bus,
            trigger: Trigger::Bus,
        };
        self.overrides
            .iter()
            .find(|o| o.isa_irq == isa_irq)
            .copied()
            .unwrap_or(identity)
    }
}
