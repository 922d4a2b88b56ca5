//! Signals that a fault sends: many CPUs.

use crate::arch::{Arch, Ipi};
use crate::cpu;

/// Sends the executing CPU a non-maskable interrupt, where there are such.
pub(super) fn nmi_self<A: Arch>() {
    let me = A::hw_id();
    A::send_ipi(cpu::by_hw_id(me).unwrap_or(cpu::BOOT_CPU), me, Ipi::NonMaskable);
}

/// Interrupts all other CPUs, in every way there is, whatever they do.
pub(super) fn storm<A: Arch>() {
    let me = A::hw_id();
    let others = cpu::POSSIBLE.snapshot();
    let others = others.iter().filter_map(|id| Some((id, cpu::hw_id(id)?)));
    for (id, hw) in others.filter(|(_, hw)| *hw != me) {
        A::send_ipi(id, hw, Ipi::Resched);
        A::send_ipi(id, hw, Ipi::NonMaskable);
    }
}
