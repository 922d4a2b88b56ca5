//! Machines whose firmware describes them by ACPI alone: what the tables say, in the words of the device tree, which is what
//! the rest of this crate understands.

use acpi_info::{AcpiInfo, CpuKind};
use boot_info::fdt::{
    Conduit, Cpu, EnableMethod, FdtInfo, Gic, GicVersion, Interrupt, Psci, Region, Timer, Uart,
};
use kernel::arch::Platform;
use kernel::irq::Lock;
use kernel::{facts, mm};

use crate::{Aarch64, console, devicetree};

/// The tables, read. Large, and needed only once; in a static because the stack is small.
static ACPI: Lock<AcpiInfo> = Lock::new(AcpiInfo::EMPTY);

/// Reads the tables behind the root pointer at `rsdp` into what the device tree has left empty, and says what is odd in them.
///
/// # Errors
/// A sentence: there are none.
pub fn describe(rsdp: u64, platform: &mut Platform) -> Result<(), &'static str> {
    let mut acpi = ACPI.lock();
    let phys = |at: u64, len: usize| mm::firmware_slice::<Aarch64>(at, len);
    acpi_info::read(rsdp, &phys, &mut acpi).map_err(|_| "ACPI's root table cannot be read")?;
    facts::report(acpi.oddities().map(|oddity| (oddity.is_fault(), oddity)));
    platform.cpus_unknown = acpi.has_unknown_cpus();
    // SAFETY: the boot CPU is alone, and nobody holds a reference across its discovery of devices.
    let info = unsafe { devicetree::info_mut() };
    fill(&acpi, info);
    if let Some(uart) = &info.uart {
        console::from_acpi(uart.console.base);
    }
    Ok(())
}

fn fill(acpi: &AcpiInfo, info: &mut FdtInfo) {
    let fixed = acpi.fixed.as_ref().filter(|fixed| fixed.psci);
    info.psci = fixed.map(|fixed| {
        Psci::new(match fixed.psci_hvc {
            true => Conduit::Hvc,
            false => Conduit::Smc,
        })
    });
    for cpu in acpi.startable() {
        let (hw_id, enable) = (cpu.hw_id, EnableMethod::Psci);
        if info.cpus.try_push(Cpu { hw_id, enable }).is_err() {
            info.cpus_dropped += 1;
        }
    }
    info.cpus_dropped += acpi.cpus_dropped;
    info.gic = gic(acpi);
    info.timer = acpi
        .arm_timer
        .map(|t| Timer::new(interrupt(t.physical), interrupt(t.virt)));
    info.uart = acpi.serial.filter(|port| port.is_pl011()).map(|port| {
        // A UART's interrupt is a level (BSA, "PL011").
        Uart::pl011(port.base, interrupt((port.interrupt, false)))
    });
}

/// Zero is no interrupt: the numbers below 16 are signals between CPUs.
fn interrupt((intid, edge): (u32, bool)) -> Option<Interrupt> {
    (intid >= 16).then_some(Interrupt { intid, edge })
}

/// The controller. Its version is told by the distributor, or by what CPUs have: a redistributor or an interface in memory.
fn gic(acpi: &AcpiInfo) -> Option<Gic> {
    const FRAMES: u64 = 0x2_0000;
    const INTERFACE: u64 = 0x2000;
    let distributor = acpi.gic_distributor?;
    let parts = acpi
        .cpus
        .iter()
        .filter(|cpu| cpu.enabled)
        .filter_map(|cpu| match cpu.kind {
            CpuKind::Gicc {
                interface,
                redistributor,
            } => Some((interface, redistributor)),
            _ => None,
        });
    let own = |(_, base): (u64, u64)| (base != 0).then_some(Region { base, len: FRAMES });
    let at = Region {
        base: distributor.base,
        len: 0x1_0000,
    };
    let has_frames = !acpi.gic_redistributors.is_empty() || parts.clone().any(|part| own(part).is_some());
    if distributor.version >= 3 || distributor.version == 0 && has_frames {
        let regions = acpi.gic_redistributors.iter().map(|r| Region {
            base: r.base,
            len: r.len,
        });
        // Each CPU names its own where there are no regions.
        let own = parts
            .filter_map(own)
            .filter(|_| acpi.gic_redistributors.is_empty());
        return Some(Gic::new(GicVersion::V3, at, regions.chain(own)));
    }
    let interface = parts.map(|(base, _)| base).find(|base| *base != 0);
    let interface = interface.map(|base| Region { base, len: INTERFACE });
    Some(Gic::new(GicVersion::V2, at, interface.into_iter()))
}
