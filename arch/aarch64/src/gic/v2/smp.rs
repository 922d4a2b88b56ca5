//! Signals to other CPUs.

use core::sync::atomic::Ordering;

use tock_registers::interfaces::Writeable;

use super::{INTERFACE, aff0, distributor};

/// The interface bit of a CPU.
fn interface(mpidr: u64) -> u32 {
    let known = INTERFACE[aff0(mpidr)].load(Ordering::Acquire);
    // A CPU that has not been here yet: the usual numbering, so that a stop on its way up is not lost for sure.
    u32::from(if known == 0 { 1 << aff0(mpidr) } else { known })
}

pub(in crate::gic) fn route_shared(intid: u32, mpidr: u64) -> Result<(), &'static str> {
    let known = INTERFACE[aff0(mpidr)].load(Ordering::Acquire);
    let shared = distributor()
        .itargetsr
        .get(intid as usize)
        .filter(|_| intid >= 32 && known != 0);
    shared
        .map(|target| target.set(known))
        .ok_or("the GIC has no such interrupt, or no such CPU")
}

pub(in crate::gic) fn send_sgi(mpidr: u64, sgi: u32) {
    distributor().sgir.set(interface(mpidr) << 16 | sgi);
}

/// To everybody but this CPU, or to each of `mpidrs`: one write either way.
pub(in crate::gic) fn send_sgi_to_all(everyone_else: bool, mpidrs: &mut dyn Iterator<Item = u64>, sgi: u32) {
    /// GICD_SGIR.TargetListFilter: all but the CPU that writes.
    const ALL_BUT_ME: u32 = 1 << 24;
    let to = match everyone_else {
        true => ALL_BUT_ME,
        false => mpidrs.fold(0, |list, mpidr| list | interface(mpidr)) << 16,
    };
    distributor().sgir.set(to | sgi);
}
