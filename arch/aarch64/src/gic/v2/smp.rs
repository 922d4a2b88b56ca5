//! Signals to other CPUs.

use core::sync::atomic::Ordering;

use tock_registers::interfaces::Writeable;

use super::{INTERFACE, aff0, cpu_interface, distributor};

pub(in crate::gic) fn send_sgi(mpidr: u64, sgi: u32) {
    let known = INTERFACE[aff0(mpidr)].load(Ordering::Acquire);
    // A CPU that has not been here yet: the usual numbering, so that a stop on its way up is not lost for sure.
    let target = if known == 0 { 1 << aff0(mpidr) } else { known };
    distributor().sgir.set(u32::from(target) << 16 | sgi);
}

pub(in crate::gic) fn quiesce_cpu() {
    distributor().icenabler[0].set(u32::MAX);
    cpu_interface().ctlr.set(0);
}
