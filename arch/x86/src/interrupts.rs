//! Setting up the interrupt controllers.

use core::num::NonZeroUsize;

use kernel::arch::Arch;
use kernel::mm;
use spin::Mutex;

use crate::apic::{self, LocalApic};
use crate::cpu::{self, Features};
use crate::ioapic::{IoApic, IoApics, route};
use crate::machine::{self, Machine};
use crate::pic;
use crate::uart;
use crate::vectors;

/// Locked only while lines are routed, by threads; an interrupt handler never takes it.
static IO_APICS: Mutex<IoApics> = Mutex::new(IoApics::new_const());

/// Registers of an IO-APIC, in bytes.
const IO_APIC_LEN: usize = 0x20;

/// Masks the 8259s, turns on the boot CPU's local APIC, and masks every line of the IO-APICs.
///
/// # Errors
/// A CPU without a local APIC, or no address space for the registers.
pub fn init<A: Arch>() -> Result<(), &'static str> {
    if !cpu::has(Features::APIC) {
        return Err("this CPU has no local APIC");
    }
    let machine = machine::get().ok_or("the machine has not been looked at")?;
    pic::mask_all();
    apic::set_access(local_apic_page::<A>(machine)?);
    init_this_cpu();
    let mut apics = IO_APICS.lock();
    for at in &machine.io_apics {
        // One that cannot be is said to be none; the lines of the others go on.
        let Ok(base) = map::<A>("IO-APIC", at.address, IO_APIC_LEN) else {
            continue;
        };
        // SAFETY: firmware says that an IO-APIC is there, and nobody else maps it.
        let _too_many = apics.try_push(unsafe { IoApic::new(base, at.first) });
    }
    Ok(())
}

/// The executing CPU's local APIC; interrupts are off.
pub fn init_this_cpu() {
    if let Some(apic) = LocalApic::get() {
        apic.init_this_cpu();
    }
}

/// The mapped page, or `None` for x2APIC mode: where firmware left the machine in it (there is no way back but through
/// a reset of all APICs), or where an id asks for it.
fn local_apic_page<A: Arch>(machine: &Machine) -> Result<Option<NonZeroUsize>, &'static str> {
    let x2apic = apic::firmware_uses_x2apic() || (machine.needs_x2apic && cpu::has(Features::X2APIC));
    if x2apic {
        Ok(None)
    } else {
        map::<A>("local APIC", register_page(machine.local_apic), apic::PAGE_LEN).map(Some)
    }
}

/// Where the registers are, whatever the tables say: a wrong address would be memory that never answers, or another device's.
fn register_page(told: Option<u64>) -> u64 {
    let at = apic::page_address();
    if let Some(told) = told.filter(|told| *told != at) {
        kernel::warning!("acpi: the local APIC is at {at:#x}, where the CPU has it, and not at {told:#x}");
    }
    at
}

fn map<A: Arch>(device: &str, address: u64, len: usize) -> Result<NonZeroUsize, &'static str> {
    let mapped = mm::ioremap::<A>(device, address, len)?;
    NonZeroUsize::new(mapped.expose_provenance()).ok_or("an interrupt controller was mapped at null")
}

/// Routes the serial console's receive interrupt to the executing CPU and turns it on.
///
/// # Errors
/// There is no console, or no IO-APIC has its line.
pub fn enable_console() -> Result<(), &'static str> {
    route_console(this_apic_id())?;
    uart::enable_rx_interrupt();
    Ok(())
}

/// Routes it to the CPU with APIC id `target`. Called by threads, one at a time.
///
/// # Errors
/// There is no console with an interrupt, no IO-APIC has its line, or the id is beyond an IO-APIC's destinations.
pub(crate) fn route_console(target: u32) -> Result<(), &'static str> {
    let machine = machine::get().ok_or("the machine has not been looked at")?;
    let irq = uart::irq().ok_or("the console has no interrupt of its own")?;
    let isa = machine.isa[usize::from(irq)];
    route(&mut IO_APICS.lock(), isa.gsi, vectors::CONSOLE, target, isa.line)
        .map_err(|_| "no IO-APIC has the console's line, or none can name the CPU")
}

/// The executing CPU's APIC id, by whatever way there is already.
pub fn this_apic_id() -> u32 {
    LocalApic::get().map_or_else(cpu::initial_apic_id, LocalApic::id)
}
