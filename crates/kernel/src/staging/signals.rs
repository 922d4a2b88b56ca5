//! Signals that a fault sends: many CPUs.

use crate::arch::{Arch, Ipi};
use crate::cpu;

/// Sends the executing CPU a non-maskable interrupt, where there are such.
pub(super) fn nmi_self<A: Arch>() {
    let me = A::hw_id();
    A::send_ipi(me, Ipi::NonMaskable);
}

/// Interrupts all other CPUs, in every way there is, whatever they do.
pub(super) fn storm<A: Arch>() {
    let me = A::hw_id();
    let others = cpu::POSSIBLE.snapshot();
    for hw in others.iter().filter_map(cpu::hw_id).filter(|hw| *hw != me) {
        A::send_ipi(hw, Ipi::Resched);
        A::send_ipi(hw, Ipi::NonMaskable);
    }
}
