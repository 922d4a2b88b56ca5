//! Firmware that is an EFI: its tables, and its runtime services.
//!
//! The services run where firmware says they may: in physical mode until `SetVirtualAddressMap`, at addresses of the
//! kernel's choosing after it. That one call is made early, before there is a second CPU, on a root table that maps the
//! firmware to itself beside the kernel (i386: `initial_page_table`, with a GDT that it maps, too). It takes the proof
//! that this root is in step: Linux once called it without, in UP builds, and a board stopped booting without a word.
//!
//! Afterwards a service is a call like any other: on the kernel's root, at the address firmware has moved it to, one at a
//! time, interrupts off. Nothing of it is needed for a boot: whatever fails is said, and the kernel goes on without.
//! `docs/boot-uefi.md` has the contract.

mod call;
mod map;
mod own;
mod time;
mod variables;

use boot_info::BootInfo;
use boot_info::efi::{self, RuntimeTable, Service, SystemTable};

pub use call::{can_reset, power_off, reset};
pub(crate) use own::{leave, take};
pub(crate) use time::wall_clock;
pub(crate) use variables::list;

use crate::arch::Arch;
use crate::irq::Lock;
use crate::mm::{self, Areas, Synced};
use crate::{info, phase, warning};

/// What [`discover`] found, until [`enter_virtual_mode`] takes it.
static FOUND: Lock<Option<Found>> = Lock::new(None);

/// Firmware with runtime services.
struct Found {
    system: SystemTable,
    runtime: RuntimeTable,
    /// Those that firmware says it has after boot.
    services: u32,
    /// Version of the memory map's descriptors.
    version: u32,
}

impl Found {
    /// The physical address of a service, if firmware has it.
    fn get(&self, service: Service) -> Option<u64> {
        let there = self.services & service.mask() != 0;
        self.runtime.get(service).filter(|_| there)
    }
}

/// A view of physical memory for the readers of tables.
fn phys<A: Arch>(at: u64, len: usize) -> Option<&'static [u8]> {
    mm::firmware_slice::<A>(at, len)
}

/// Reads firmware's tables, and tells `boot` where ACPI's are if the loader did not. The final page tables are on.
pub(crate) fn discover<A: Arch>(boot: &mut BootInfo) {
    match look::<A>(boot) {
        Ok(found) => *FOUND.lock() = found,
        Err(why) => warning!("efi: the system table {why}; going on without"),
    }
}

fn look<A: Arch>(boot: &mut BootInfo) -> Result<Option<Found>, efi::Error> {
    let Some(efi) = boot.efi else { return Ok(None) };
    let system = SystemTable::of(&efi, &phys::<A>)?;
    let tables = system.configuration(&phys::<A>)?;
    boot.rsdp = boot.rsdp.or_else(|| tables.rsdp());
    let (major, minor) = (system.revision >> 16, system.revision & 0xffff);
    info!(
        "efi: UEFI {major}.{} {}-bit, {} configuration tables",
        minor / 10,
        if efi.is_64bit { 64 } else { 32 },
        tables.iter().count()
    );
    if efi.is_64bit != (usize::BITS == 64) {
        info!("efi: not the width of this kernel: no runtime services");
        return Ok(None);
    }
    Ok(Some(Found {
        system,
        runtime: system.runtime_table(&phys::<A>)?,
        services: tables.runtime_services(&phys::<A>),
        version: efi.descriptor_version,
    }))
}

/// `SetVirtualAddressMap`, if there is an EFI. The regions of its runtime services are mapped first, and the shadow roots
/// brought in step again, whatever comes of it.
pub(crate) fn enter_virtual_mode<A: Arch>(tables: Synced<Areas>) -> Synced<Areas> {
    let Some(found) = FOUND.lock().take() else {
        return tables;
    };
    let (mapped, tables) = tables.change::<A, _>("mapping EFI's runtime services", || map::all::<A>(&found));
    let tables = tables.resync::<A>();
    match mapped.and_then(|map| call::move_to::<A>(&found, &map, &tables)) {
        Ok(regions) => info!("efi: runtime services in use, {regions} regions"),
        Err(why) => warning!("efi: no runtime services: {why}"),
    }
    phase::enter::<A>(&"booting");
    tables
}
