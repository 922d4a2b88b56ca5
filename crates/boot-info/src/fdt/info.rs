//! What a device tree says about a machine, beyond what every boot protocol says.

use core::ops::RangeInclusive;

use arrayvec::ArrayVec;

use crate::{Console, ConsoleKind, present::Present};

/// CPUs kept; more are counted in [`FdtInfo::cpus_dropped`].
pub const MAX_CPUS: usize = 1024;

/// Register regions of an interrupt controller that are kept.
pub const MAX_GIC_REGIONS: usize = 16;

/// A range of device registers, physical, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub base: u64,
    /// Length.
    pub len: u64,
}

/// How a CPU is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnableMethod {
    /// PSCI `CPU_ON`.
    Psci,
    /// By writing an entry address to this physical address (`cpu-release-addr`).
    SpinTable(u64),
    /// No method, as on a machine with one CPU, or one this kernel does not know.
    None,
}

/// A CPU that the firmware lets us use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Hardware id: the affinity fields of MPIDR_EL1 (`reg`).
    pub hw_id: u64,
    /// How to start it.
    pub enable: EnableMethod,
}

/// The instruction that calls the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// Hypervisor call.
    Hvc,
    /// Secure monitor call.
    Smc,
}

/// Function numbers that PSCI 0.1 leaves to the device tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PsciIds {
    /// `cpu_suspend`.
    pub cpu_suspend: Option<u32>,
    /// `cpu_off`.
    pub cpu_off: Option<u32>,
    /// `cpu_on`.
    pub cpu_on: Option<u32>,
    /// `migrate`.
    pub migrate: Option<u32>,
}

/// The `psci` node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Psci {
    /// `method`.
    pub conduit: Conduit,
    /// Oldest version promised by `compatible`: major and minor. From 0.2 on the function numbers
    /// are fixed (DEN0022) and the running version is had from `PSCI_VERSION`.
    pub version: (u8, u8),
    /// Function numbers; only 0.1 needs them.
    pub ids: PsciIds,
    pub(super) present: Present,
}

/// Generation of the interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GicVersion {
    /// GICv2 (and GICv1, which is driven alike).
    V2,
    /// GICv3 and GICv4.
    V3,
}

/// The interrupt controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gic {
    /// Generation.
    pub version: GicVersion,
    /// All of `reg`, in its order; see the accessors.
    pub regions: ArrayVec<Region, MAX_GIC_REGIONS>,
    /// `#redistributor-regions`, 1 if absent. GICv3 only.
    pub redistributor_regions: usize,
    /// `redistributor-stride` in bytes, if not the architecture's. GICv3 only.
    pub redistributor_stride: Option<u64>,
    pub(super) present: Present,
}

impl Psci {
    /// PSCI 1.0 or later by `conduit`, as firmware tables other than a device tree tell.
    #[must_use]
    pub const fn new(conduit: Conduit) -> Self {
        const NONE: PsciIds = PsciIds {
            cpu_suspend: None,
            cpu_off: None,
            cpu_on: None,
            migrate: None,
        };
        Self {
            conduit,
            version: (1, 0),
            ids: NONE,
            present: Present::Yes,
        }
    }
}

impl Timer {
    /// Frequencies in Hz that a generic timer may have: it is to be from 1 to 50 MHz, or 1 GHz since Armv8.6 (Arm ARM, D12.1.2),
    /// and emulations on gate arrays are slower.
    pub const FREQUENCIES: RangeInclusive<u64> = 100_000..=4_000_000_000;

    /// What `clock-frequency` says, if that can be the frequency of a timer.
    #[must_use]
    pub fn frequency(&self) -> Option<u64> {
        let said = self.clock_frequency.map(u64::from);
        said.filter(|hz| Self::FREQUENCIES.contains(hz))
    }

    /// The two timers a kernel uses, as firmware tables other than a device tree tell.
    #[must_use]
    pub fn new(physical: Option<Interrupt>, virt: Option<Interrupt>) -> Self {
        Self {
            physical,
            virt,
            ..Self::default()
        }
    }
}

impl Uart {
    /// A PL011, as firmware tables other than a device tree tell.
    #[must_use]
    pub const fn pl011(base: u64, interrupt: Option<Interrupt>) -> Self {
        Self {
            console: Console {
                kind: ConsoleKind::Pl011,
                base,
                len: 0x1000,
                reg_shift: 0,
                baud: None,
                present: Present::Yes,
            },
            interrupt,
            clock_frequency: None,
            present: Present::Yes,
        }
    }
}

impl Gic {
    /// A controller by its distributor and, for a GICv2, its CPU interface, for a GICv3 its redistributors, as firmware tables
    /// other than a device tree tell. What is more than [`MAX_GIC_REGIONS`] is lost.
    #[must_use]
    pub fn new(version: GicVersion, distributor: Region, others: impl Iterator<Item = Region>) -> Self {
        let regions: ArrayVec<Region, MAX_GIC_REGIONS> = core::iter::once(distributor)
            .chain(others)
            .take(MAX_GIC_REGIONS)
            .collect();
        Self {
            version,
            redistributor_regions: regions.len() - 1,
            regions,
            redistributor_stride: None,
            present: Present::Yes,
        }
    }

    /// The distributor.
    #[must_use]
    pub fn distributor(&self) -> Option<Region> {
        self.regions.first().copied()
    }

    /// The memory-mapped CPU interface. GICv2 only.
    #[must_use]
    pub fn cpu_interface(&self) -> Option<Region> {
        let v2 = self.version == GicVersion::V2;
        self.regions.get(1).copied().filter(|_| v2)
    }

    /// The redistributor regions; empty on GICv2. Each holds frames for as many CPUs as fit, and
    /// which CPU a frame belongs to is in its `GICR_TYPER`.
    #[must_use]
    pub fn redistributors(&self) -> &[Region] {
        if self.version == GicVersion::V2 {
            return &[];
        }
        let all = self.regions.get(1..).unwrap_or_default();
        &all[..all.len().min(self.redistributor_regions)]
    }
}

/// An interrupt of the GIC, decoded from its three cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// INTID: 16 and up private to a CPU, 32 and up shared.
    pub intid: u32,
    /// Edge triggered, else level.
    pub edge: bool,
}

/// The generic timer's interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Timer {
    /// Secure EL1 physical timer.
    pub secure: Option<Interrupt>,
    /// Non-secure EL1 physical timer.
    pub physical: Option<Interrupt>,
    /// Virtual timer.
    pub virt: Option<Interrupt>,
    /// EL2 physical timer.
    pub hypervisor: Option<Interrupt>,
    /// EL2 virtual timer.
    pub hypervisor_virt: Option<Interrupt>,
    /// `clock-frequency` in Hz, as it stands there: only there when CNTFRQ_EL0 is wrong. See [`Self::frequency`].
    pub clock_frequency: Option<u32>,
    /// `always-on`: it does not stop in deep idle states.
    pub always_on: bool,
    pub(super) present: Present,
}

/// The UART behind `stdout-path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uart {
    /// Kind and registers.
    pub console: Console,
    /// Its interrupt, if it goes to the GIC.
    pub interrupt: Option<Interrupt>,
    /// `clock-frequency` in Hz, if given.
    pub clock_frequency: Option<u32>,
    pub(super) present: Present,
}

/// Everything else. About 25 KiB: keep it in a static.
#[derive(Clone, Debug)]
pub struct FdtInfo {
    /// CPUs in the tree's order, each hardware id once.
    pub cpus: ArrayVec<Cpu, MAX_CPUS>,
    /// CPUs that did not fit.
    pub cpus_dropped: u32,
    /// CPUs whose `status` says that they are not ours.
    pub cpus_disabled: u32,
    /// CPU nodes without a usable or with a repeated `reg`.
    pub cpus_bad: u32,
    /// Firmware calls.
    pub psci: Option<Psci>,
    /// The interrupt controller.
    pub gic: Option<Gic>,
    /// The generic timer.
    pub timer: Option<Timer>,
    /// The console's UART.
    pub uart: Option<Uart>,
}

impl FdtInfo {
    /// Nothing known; costs no image space.
    pub const EMPTY: Self = Self {
        cpus: ArrayVec::new_const(),
        cpus_dropped: 0,
        cpus_disabled: 0,
        cpus_bad: 0,
        psci: None,
        gic: None,
        timer: None,
        uart: None,
    };
}
