//! Calling firmware.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use boot_info::efi::Service;
use uefi_raw::table::boot::MemoryDescriptor;
use uefi_raw::table::runtime::{ResetType, TimeCapabilities, VariableAttributes};
use uefi_raw::time::Time;
use uefi_raw::{Guid, Status};

use super::map::Mapped;
use super::{Found, phys};
use crate::arch::Arch;
use crate::irq::Lock;
use crate::mm::{Areas, Synced};
use crate::phase::{self, Phase};

/// The kernel's addresses of the services it uses; 0 for none.
static GET_TIME: AtomicUsize = AtomicUsize::new(0);
static GET_VARIABLE: AtomicUsize = AtomicUsize::new(0);
static GET_NEXT_VARIABLE_NAME: AtomicUsize = AtomicUsize::new(0);
static SET_VARIABLE: AtomicUsize = AtomicUsize::new(0);
static RESET_SYSTEM: AtomicUsize = AtomicUsize::new(0);

/// Held by whoever is in firmware: hardly any service may be called while another runs (UEFI 2.10, 8.1).
static FIRMWARE: Lock<()> = Lock::new(());
/// Somebody is in firmware. For those who must not wait.
static BUSY: AtomicBool = AtomicBool::new(false);

type SetVirtualAddressMap = unsafe extern "efiapi" fn(usize, usize, u32, *const MemoryDescriptor) -> Status;
type GetTime = unsafe extern "efiapi" fn(*mut Time, *mut TimeCapabilities) -> Status;
type GetVariable = unsafe extern "efiapi" fn(
    *const u16,
    *const Guid,
    *mut VariableAttributes,
    *mut usize,
    *mut c_void,
) -> Status;
type GetNextVariableName = unsafe extern "efiapi" fn(*mut usize, *mut u16, *mut Guid) -> Status;
type SetVariable =
    unsafe extern "efiapi" fn(*const u16, *const Guid, VariableAttributes, usize, *const c_void) -> Status;
type ResetSystem = unsafe extern "efiapi" fn(ResetType, Status, usize, *const c_void) -> Status;

/// Firmware's function at `address`.
///
/// # Safety
/// It is one, of type `F`.
unsafe fn function<F: Copy>(address: usize) -> F {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    // SAFETY: the caller's promise; function pointers are addresses.
    unsafe { core::mem::transmute_copy(&address) }
}

/// Moves firmware to the addresses it has been mapped at. Returns how many regions that were.
///
/// # Errors
/// A sentence: there is nothing to call, or firmware refused.
pub(super) fn move_to<A: Arch>(
    found: &Found,
    map: &Mapped,
    tables: &Synced<Areas>,
) -> Result<usize, &'static str> {
    let physical = found.get(Service::SetVirtualAddressMap);
    let physical = physical.ok_or("firmware has no SetVirtualAddressMap")?;
    let physical = usize::try_from(physical).map_err(|_| "SetVirtualAddressMap lies out of reach")?;
    map.address(physical as u64)
        .ok_or("SetVirtualAddressMap lies outside of the regions")?;
    let entry = size_of::<MemoryDescriptor>();
    let call = || {
        // SAFETY: the address is that of this service, which the root maps to itself, as it does all that firmware needs.
        let call: SetVirtualAddressMap = unsafe { function(physical) };
        // SAFETY: physical mode, once, with a list of all the regions, which lives until it returns.
        A::with_fpu(|| unsafe { call(map.list.len() * entry, entry, found.version, map.list.as_ptr()) })
    };
    phase::enter::<A>(&"calling firmware: SetVirtualAddressMap");
    let needed = [map.list.as_ptr().addr()];
    let status = tables.enter::<A, _>("calling SetVirtualAddressMap", &needed, |tables| {
        // SAFETY: interrupts are off, and `call` needs what the kernel maps and the regions, no more.
        unsafe { A::on_identity(tables, call) }
    });
    match status {
        Status::SUCCESS => publish::<A>(found, map),
        status => {
            crate::warning!("efi: SetVirtualAddressMap: {status:?}");
            Err("firmware did not move")
        }
    }
}

/// Notes where the services are now: firmware has moved the addresses in its table, too.
fn publish<A: Arch>(found: &Found, map: &Mapped) -> Result<usize, &'static str> {
    let moved = found.system.runtime_table(&phys::<A>);
    let moved = moved.map_err(|_| "the moved table cannot be read")?;
    let mut wrong = 0;
    for (service, to) in [
        (Service::GetTime, &GET_TIME),
        (Service::GetVariable, &GET_VARIABLE),
        (Service::GetNextVariableName, &GET_NEXT_VARIABLE_NAME),
        (Service::SetVariable, &SET_VARIABLE),
        (Service::ResetSystem, &RESET_SYSTEM),
    ] {
        let Some(physical) = found.get(service) else {
            continue;
        };
        // What firmware says must be what follows from its map: a wrong address would be jumped to.
        match (map.address(physical), moved.get(service)) {
            (Some(address), Some(moved)) if address as u64 == moved => to.store(address, Ordering::Release),
            _ => wrong += 1,
        }
    }
    match wrong {
        0 => Ok(map.list.len()),
        _ => Err("firmware moved its services to other addresses than it was told"),
    }
}

/// Calls `f` with the service at `service`, if there is one: interrupts off, nobody else in firmware.
fn with_service<A: Arch, F: Copy, R>(
    service: &AtomicUsize,
    phase: Phase,
    f: impl FnOnce(F) -> R,
) -> Option<R> {
    let address = service.load(Ordering::Acquire);
    if address == 0 {
        return None;
    }
    let _alone = FIRMWARE.lock();
    BUSY.store(true, Ordering::Relaxed);
    phase::enter::<A>(phase);
    // SAFETY: callers name the type of the service that `publish` stored there.
    let result = A::with_fpu(|| f(unsafe { function(address) }));
    phase::enter::<A>(&"running");
    BUSY.store(false, Ordering::Relaxed);
    Some(result)
}

/// `GetTime`.
pub(super) fn get_time<A: Arch>() -> Option<Result<Time, Status>> {
    let mut time = Time::invalid();
    let status = with_service::<A, GetTime, _>(&GET_TIME, &"calling firmware: GetTime", |call| {
        // SAFETY: firmware writes one time; capabilities are optional.
        unsafe { call(&raw mut time, core::ptr::null_mut()) }
    })?;
    Some(match status {
        Status::SUCCESS => Ok(time),
        status => Err(status),
    })
}

/// `GetNextVariableName`: `name` and `vendor` are those of the last variable, and become those of the next. Returns the bytes
/// that the name has, or would have.
pub(super) fn next_variable<A: Arch>(name: &mut [u16], vendor: &mut Guid) -> Option<(Status, usize)> {
    let mut bytes = size_of_val(name);
    let phase: Phase = &"calling firmware: GetNextVariableName";
    let status = with_service::<A, GetNextVariableName, _>(&GET_NEXT_VARIABLE_NAME, phase, |call| {
        // SAFETY: firmware writes no more than `bytes` bytes of the name, and one GUID.
        unsafe { call(&raw mut bytes, name.as_mut_ptr(), vendor) }
    })?;
    Some((status, bytes))
}

/// `GetVariable`, as far as `data` has room. Returns the attributes, and the bytes that the variable has.
pub(super) fn get_variable<A: Arch>(
    name: &[u16],
    vendor: &Guid,
    data: &mut [u8],
) -> Option<(Status, VariableAttributes, usize)> {
    let (mut attributes, mut bytes) = (VariableAttributes::empty(), data.len());
    let phase: Phase = &"calling firmware: GetVariable";
    let status = with_service::<A, GetVariable, _>(&GET_VARIABLE, phase, |call| {
        let to = data.as_mut_ptr().cast();
        // SAFETY: the name ends with a zero, as it came from firmware; it writes no more than `bytes` bytes of data.
        unsafe { call(name.as_ptr(), vendor, &raw mut attributes, &raw mut bytes, to) }
    })?;
    Some((status, attributes, bytes))
}

/// `SetVariable`; no data deletes it. The name ends with a zero.
pub(super) fn set_variable<A: Arch>(
    name: &[u16],
    vendor: &Guid,
    attributes: VariableAttributes,
    data: &[u8],
) -> Option<Status> {
    with_service::<A, SetVariable, _>(&SET_VARIABLE, &"calling firmware: SetVariable", |call| {
        // SAFETY: `with_service` gives this service, and nobody else is in firmware.
        unsafe { store(call, name, vendor, attributes, data) }
    })
}

/// The same, for the last CPU that runs, which takes no lock; interrupts are off. A kernel that failed in firmware, or
/// stopped a CPU there, does not go back in.
pub(super) fn set_variable_at_the_end<A: Arch>(
    name: &[u16],
    vendor: &Guid,
    attributes: VariableAttributes,
    data: &[u8],
) -> Option<Status> {
    let address = SET_VARIABLE.load(Ordering::Acquire);
    if address == 0 || BUSY.swap(true, Ordering::Relaxed) {
        return None;
    }
    phase::enter::<A>(&"calling firmware: SetVariable");
    // SAFETY: `publish` stored this service's address there.
    let call: SetVariable = unsafe { function(address) };
    // SAFETY: the last CPU that runs is alone, and found nobody who was stopped in firmware.
    let status = A::with_fpu(|| unsafe { store(call, name, vendor, attributes, data) });
    BUSY.store(false, Ordering::Relaxed);
    Some(status)
}

/// The call itself.
///
/// # Safety
/// `set_variable` is firmware's `SetVariable`, interrupts are off, and nobody else is in firmware.
unsafe fn store(
    set_variable: SetVariable,
    name: &[u16],
    vendor: &Guid,
    attributes: VariableAttributes,
    data: &[u8],
) -> Status {
    debug_assert!(name.last() == Some(&0));
    // SAFETY: firmware reads the name up to its zero, one GUID, and as many bytes of data as there are.
    unsafe {
        set_variable(
            name.as_ptr(),
            vendor,
            attributes,
            data.len(),
            data.as_ptr().cast(),
        )
    }
}

/// Whether there is a `ResetSystem`, and nobody is, or was stopped, in firmware.
pub fn can_reset() -> bool {
    RESET_SYSTEM.load(Ordering::Acquire) != 0 && !BUSY.load(Ordering::Relaxed)
}

/// `ResetSystem`, as a way to reset the machine: returns if there is none, or nothing came of it. Whoever calls this is the
/// last CPU that runs, and takes no lock. A kernel that failed in firmware, or stopped a CPU there, does not go back in.
pub fn reset<A: Arch>() {
    reset_system::<A>(ResetType::COLD);
}

/// The same, to turn the machine off.
pub fn power_off<A: Arch>() {
    reset_system::<A>(ResetType::SHUTDOWN);
}

fn reset_system<A: Arch>(how: ResetType) {
    let address = RESET_SYSTEM.load(Ordering::Acquire);
    if address == 0 || BUSY.swap(true, Ordering::Relaxed) {
        return;
    }
    phase::enter::<A>(&"calling firmware: ResetSystem");
    // SAFETY: `publish` stored this service's address there. It does not return, but might.
    let call: ResetSystem = unsafe { function(address) };
    // SAFETY: as above; there is no data.
    let _came_back = A::with_fpu(|| unsafe { call(how, Status::SUCCESS, 0, core::ptr::null()) });
}
