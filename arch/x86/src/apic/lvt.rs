//! The local vector table: the APIC's own sources.

use super::regs::{Access, Reg};
use crate::vectors;

const MASKED: u32 = 1 << 16;
/// Delivery mode NMI, edge; the vector is ignored.
const NMI: u32 = 0b100 << 8;

/// Entries that exist from `max` (version register, bits 16..24) on: the thermal and performance entries came late.
fn optional(max: u32) -> impl Iterator<Item = Reg> {
    [(4, Reg::LvtPerformance), (5, Reg::LvtThermal)]
        .into_iter()
        .filter(move |(n, _)| *n <= max)
        .map(|(_, reg)| reg)
}

fn max_entry(apic: Access) -> u32 {
    apic.read(Reg::Version) >> 16 & 0xff
}

/// Every source masked, but LINT1 (the machine's NMI line; after INIT it is masked, so each CPU must say it again) and
/// the error interrupt.
///
/// # Safety
///
/// The vectors must be installed.
pub(super) unsafe fn quiesce(apic: Access) {
    let with_vector = [
        (Reg::LvtTimer, MASKED | u32::from(vectors::TIMER)),
        (Reg::LvtLint0, MASKED),
        (Reg::LvtLint1, NMI),
        (Reg::LvtError, u32::from(vectors::APIC_ERROR)),
    ];
    // SAFETY: the caller's promise; masked entries do nothing.
    unsafe {
        with_vector
            .into_iter()
            .for_each(|(reg, value)| apic.write(reg, value));
        optional(max_entry(apic)).for_each(|reg| apic.write(reg, MASKED));
    }
}

/// Every source masked.
///
/// # Safety
///
/// None of them may be needed any more.
pub(super) unsafe fn mask_all(apic: Access) {
    let fixed = [Reg::LvtTimer, Reg::LvtLint0, Reg::LvtLint1, Reg::LvtError];
    // SAFETY: the caller's promise. Masking needs a legal vector even so, or the APIC reports an error.
    unsafe {
        // Two loops: each stopping CPU comes here, and one over a chain costs several times as much.
        for reg in fixed {
            apic.write(reg, MASKED | u32::from(vectors::SPURIOUS));
        }
        for reg in optional(max_entry(apic)) {
            apic.write(reg, MASKED | u32::from(vectors::SPURIOUS));
        }
    }
}

/// Acknowledges what was taken and never finished, by a kernel before us or by a handler that does not return: an entry
/// left in service blocks all below it. The task priority must be 0.
pub(super) fn drain_in_service(apic: Access) {
    // One per vector at most, so the walk is bounded even if an entry cannot be cleared.
    for _ in 0..256 {
        if !any_in_service(apic) {
            return;
        }
        // SAFETY: whoever took the interrupt is gone.
        unsafe { apic.write(Reg::Eoi, 0) };
    }
}

/// Whether any of the 240 vectors that can be is in service: the processor priority is the class of the highest, 1 to 15,
/// or that of the task priority if that is higher (SDM Vol. 3A, 11.8.3.1). One look, where the in-service register takes
/// eight: every CPU does this when it stops.
fn any_in_service(apic: Access) -> bool {
    apic.read(Reg::ProcessorPriority) & 0xf0 != 0
}
