//! Signals between CPUs, and the one that comes through when interrupts are off.

use core::sync::atomic::Ordering;

use aarch64_cpu::asm::barrier;
use kernel::arch::Targets;
use kernel::cpu::hw_id;

pub use super::v3::smp::{distributor_looks_at_mask, priority_mask, set_priority_mask};
use super::{VERSION, sgi, v2, v3};
use crate::smp::nmi;

/// Sends a software generated interrupt to the CPU with these affinity fields. Lost if it is off.
pub fn send_sgi(mpidr: u64, sgi: u32) {
    // What was written for the receiver must be there before the signal is.
    barrier::dsb(barrier::ISHST);
    match VERSION.load(Ordering::Acquire) {
        2 => v2::smp::send_sgi(mpidr, sgi),
        3 => v3::smp::send_sgi(mpidr, sgi),
        _ => {}
    }
}

/// Sends it to all of `targets`; false, and nothing sent, if there is no controller yet.
pub fn send_sgi_to_all(targets: &Targets<'_>, sgi: u32) -> bool {
    barrier::dsb(barrier::ISHST);
    let everyone_else = targets.is_everyone_else();
    let mut each = targets.iter().filter_map(hw_id).map(|hw| hw.0);
    match VERSION.load(Ordering::Acquire) {
        2 => v2::smp::send_sgi_to_all(everyone_else, &mut each, sgi),
        3 => v3::smp::send_sgi_to_all(everyone_else, &mut each, sgi),
        _ => return false,
    }
    true
}

/// Has a shared interrupt delivered to the CPU with these affinity fields, which is online. Called by a thread, one at a time.
///
/// # Errors
/// A sentence, when the controller has no such interrupt or does not know the CPU.
pub fn route_shared(intid: u32, mpidr: u64) -> Result<(), &'static str> {
    match VERSION.load(Ordering::Acquire) {
        2 => v2::smp::route_shared(intid, mpidr),
        3 => v3::route_shared(intid, mpidr),
        _ => Err("there is no interrupt controller"),
    }
}

/// Whether [`sgi::STOP_NOW`] can be a non-maskable interrupt. Boot CPU, interrupts off.
pub fn has_nmis() -> bool {
    VERSION.load(Ordering::Acquire) == 3
        && nmi::is_implemented()
        && v3::smp::nmis_are_supported()
        && v3::smp::nmis_work()
}

/// Makes it one on the executing CPU, held back by `PSTATE.ALLINT` still.
///
/// # Errors
/// A sentence, where [`has_nmis`] holds of the boot CPU and not of this one.
pub fn begin_nmis() -> Result<(), &'static str> {
    if !nmi::is_implemented() {
        return Err("the boot CPU has non-maskable interrupts, and this one has not");
    }
    nmi::turn_on();
    v3::smp::give_superpriority(sgi::STOP_NOW, true)
        .ok_or("its stop signal cannot be made a non-maskable interrupt")
}

/// Whether the priority mask can hold back all but [`sgi::STOP_NOW`]. Boot CPU, interrupts off.
pub fn masks_by_priority() -> bool {
    VERSION.load(Ordering::Acquire) == 3 && v3::smp::priority_mask_works()
}
