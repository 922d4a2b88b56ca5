//! What a CPU does to stand still, with other CPUs or alone.

use kernel::account::STOP;
use smp_stop::{Registers, Report};

use crate::apic::LocalApic;
use crate::regs;
use crate::trap::Frame;

/// `e_machine` of this width's ELF files: tells a reader of saved registers how to read them.
#[cfg(target_pointer_width = "64")]
const MACHINE: u16 = 62;
/// `e_machine` of this width's ELF files: tells a reader of saved registers how to read them.
#[cfg(target_pointer_width = "32")]
const MACHINE: u16 = 3;

/// Fills in the registers of the code that `frame` is about. The words are: ax, bx, cx, dx, si, di, bp, sp, in 64 bits r8 to
/// r15, then ip, flags, cs, ss, and as they are now cr0, cr2, cr3, cr4.
pub fn fill(frame: &impl Frame, out: &mut Registers) {
    out.begin(MACHINE, frame.pc() as u64, frame.sp() as u64, frame.fp() as u64);
    out.extend(&frame.words());
    let control = [regs::cr0(), regs::cr2(), regs::cr3(), regs::cr4()];
    out.extend(&control.map(|word| word as u64));
}

/// Brings the local APIC to rest: every source masked, nothing in service. What is pending stays so: interrupts are off.
///
/// Caches are left alone: they are coherent with whoever comes next, and a WBINVD takes milliseconds.
pub fn quiesce() {
    if let Some(apic) = LocalApic::get() {
        apic.silence();
    }
}

/// Whether the CPUs have been asked to stop, now or before: nothing that comes from outside matters then.
pub(crate) fn is_under_way() -> bool {
    Report::of(&STOP).summary().hold.is_some()
}
