//! Reading the firmware's tables.

use core::num::NonZeroUsize;

use acpi_info::{AcpiInfo, CpuKind, Override, Polarity, Register as At, SleepType, Space, Trigger};
use boot_info::BootInfo;
use kernel::arch::Platform;
use kernel::arch::{Arch, HwId};
use kernel::{facts, mm};
use spin::Mutex;

use crate::apic::XAPIC_MAX_ID;
use crate::ioapic::Line;
use crate::machine::{self, IoApicAt, IsaLine, Machine};
use crate::pmtimer::{Location, PmTimer};
use crate::power::{Ends, Register, Sleep};

/// The tables, read. Large, and needed only until the machine is described; in a static because the stack is small.
static ACPI: Mutex<AcpiInfo> = Mutex::new(AcpiInfo::EMPTY);

/// Fills `platform` and the machine's description. Called once; the final page tables are on.
///
/// # Errors
/// A sentence when there are no tables; the machine is then taken for a plain PC with one CPU.
pub fn run<A: Arch>(info: &BootInfo, platform: &mut Platform) -> Result<(), &'static str> {
    let mut acpi = ACPI.lock();
    let found = read::<A>(info, &mut acpi);
    list_cpus(&acpi, platform);
    machine::set(describe::<A>(&acpi));
    found
}

fn read<A: Arch>(info: &BootInfo, acpi: &mut AcpiInfo) -> Result<(), &'static str> {
    let phys = |at: u64, len: usize| mm::firmware_slice::<A>(at, len);
    let rsdp = info
        .rsdp
        .or_else(|| acpi_info::find_rsdp(&phys))
        .ok_or("no ACPI root pointer")?;
    acpi_info::read(rsdp, &phys, acpi).map_err(|_| "ACPI's root table cannot be read")?;
    facts::report(acpi.oddities().map(|oddity| (oddity.is_fault(), oddity)));
    Ok(())
}

fn list_cpus(acpi: &AcpiInfo, platform: &mut Platform) {
    platform.start_method = "INIT-SIPI";
    platform.cpu_source = if acpi.has_madt() { "MADT" } else { "none" };
    acpi.startable().for_each(|cpu| platform.add_cpu(HwId(cpu.hw_id)));
    platform.cpus_dropped += acpi.cpus_dropped as usize;
    platform.cpus_unknown = acpi.has_unknown_cpus();
}

fn describe<A: Arch>(acpi: &AcpiInfo) -> Machine {
    let mut machine = Machine {
        local_apic: acpi.local_apic,
        needs_x2apic: acpi
            .startable()
            .any(|cpu| cpu.kind == CpuKind::LocalX2Apic && cpu.hw_id > XAPIC_MAX_ID.into()),
        isa: core::array::from_fn(|irq| isa_line(acpi.isa_irq(irq as u8))),
        pm_timer: pm_timer::<A>(acpi),
        ends: Ends {
            reset: reset::<A>(acpi),
            sleep: sleep::<A>(acpi),
        },
        ..Machine::default()
    };
    if !acpi.io_apics.is_empty() {
        machine.io_apics.clear();
    }
    for io in &acpi.io_apics {
        let at = IoApicAt {
            address: io.address.into(),
            first: io.gsi_base,
        };
        if machine.io_apics.try_push(at).is_err() {
            kernel::warning!(
                "acpi: no room for the IO-APIC of interrupts {} and up",
                io.gsi_base
            );
        }
    }
    machine
}

fn isa_line(at: Override) -> IsaLine {
    let line = Line {
        active_low: at.polarity == Polarity::Low,
        level: at.trigger == Trigger::Level,
    };
    IsaLine { gsi: at.gsi, line }
}

fn pm_timer<A: Arch>(acpi: &AcpiInfo) -> Option<PmTimer> {
    let timer = acpi.fixed.as_ref()?.pm_timer?;
    let location = match timer.register.space {
        Space::Io => Location::Port(u16::try_from(timer.register.address).ok()?),
        Space::Memory => Location::Memory(map::<A>(timer.register.address)?),
        _ => return None,
    };
    // SAFETY: the fixed hardware table says that the timer is there.
    Some(unsafe { PmTimer::new(location, timer.is_32bit) })
}

fn reset<A: Arch>(acpi: &AcpiInfo) -> Option<(Register, u8)> {
    let (at, value) = acpi.fixed.as_ref()?.reset?;
    Some((register::<A>(at)?, value))
}

fn sleep<A: Arch>(acpi: &AcpiInfo) -> Option<Sleep> {
    let fixed = acpi.fixed.as_ref()?;
    let SleepType { a, b } = acpi.s5?;
    if let Some(control) = fixed.sleep_control.filter(|_| fixed.hw_reduced) {
        return Some(Sleep::Control(register::<A>(control)?, a));
    }
    let second = fixed.pm1b_control.and_then(register::<A>);
    Some(Sleep::Pm1 {
        a: (register::<A>(fixed.pm1a_control?)?, a),
        b: second.map(|register| (register, b)),
        enable: fixed.acpi_enable,
    })
}

/// A register of the sort the reset and sleep registers may be (ACPI 6.5, 4.8.3.6: byte wide, port, memory or PCI).
fn register<A: Arch>(at: At) -> Option<Register> {
    match at.space {
        Space::Io => u16::try_from(at.address).ok().map(Register::Port),
        Space::Memory => map::<A>(at.address).map(Register::Memory),
        Space::PciConfig => Some(Register::Pci(
            (at.address >> 32) as u8,
            (at.address >> 16) as u8,
            at.address as u16,
        )),
        _ => None,
    }
}

fn map<A: Arch>(address: u64) -> Option<NonZeroUsize> {
    let mapped = mm::ioremap::<A>("ACPI's fixed hardware", address, size_of::<u32>()).ok()?;
    NonZeroUsize::new(mapped.expose_provenance())
}
