//! Interrupts off and on by priority, where the GIC can do it: then "off" still lets the stop signal of last resort
//! through, and a CPU that spins with interrupts off can be stopped.
//!
//! Off is: `ICC_PMR_EL1` at [`MASK_HELD`] and `PSTATE.I` clear. `PSTATE.I` set is off, too, and holds back everything: so
//! it is on a CPU that has not set its controller up, in the few instructions of exception entry and return, and where the
//! priority mask does not work.

use core::sync::atomic::{AtomicU8, Ordering};

use crate::daif;
use crate::gic::priority::{MASK_HELD, MASK_OPEN};
use crate::gic::smp as gic;

const BY_PSTATE: u8 = 0;
const BY_PRIORITY: u8 = 1;
/// As before, and the distributor looks at priority masks: it has to hear of a new one (`ICC_CTLR_EL1.PMHE`).
const BY_PRIORITY_TOLD: u8 = 2;

/// How this machine does it. Changed once, by the boot CPU, before there is any other.
static HOW: AtomicU8 = AtomicU8::new(BY_PSTATE);

/// Whether "off" lets the stop signal of last resort through.
#[inline(always)]
pub fn by_priority() -> bool {
    HOW.load(Ordering::Relaxed) != BY_PSTATE
}

/// Decides, on the boot CPU, once its controller is set up.
pub fn choose() {
    if !gic::masks_by_priority() {
        kernel::info!("irq: masked by PSTATE.I, which holds back the stop signal as well");
        return;
    }
    let how = match gic::distributor_looks_at_mask() {
        true => BY_PRIORITY_TOLD,
        false => BY_PRIORITY,
    };
    HOW.store(how, Ordering::Relaxed);
    begin();
    kernel::info!("irq: masked by priority; the stop signal comes through");
}

/// From here on the executing CPU's interrupts are off in this manner. They are off, and its controller is set up.
pub fn begin() {
    if by_priority() {
        enter_handler();
    }
}

/// Lets all through.
#[inline(always)]
fn open() {
    gic::set_priority_mask(MASK_OPEN);
    if HOW.load(Ordering::Relaxed) == BY_PRIORITY_TOLD {
        aarch64_cpu::asm::barrier::dsb(aarch64_cpu::asm::barrier::SY);
    }
}

/// Turns them off; whether they were on.
#[inline(always)]
pub fn save() -> bool {
    // With PSTATE.I set the mask may not be there yet, and is not needed.
    if !by_priority() || daif::are_off() {
        return daif::save();
    }
    let was_on = gic::priority_mask() == MASK_OPEN;
    gic::set_priority_mask(MASK_HELD);
    was_on
}

/// Turns them on.
#[inline(always)]
pub fn enable() {
    if by_priority() {
        open();
    }
    daif::enable();
}

/// As [`daif::wait`]. What the priority mask holds back does not reach the CPU and would not end WFI: so the two change
/// places meanwhile.
pub fn wait() {
    if by_priority() {
        daif::save();
        open();
    }
    daif::wait();
    begin();
}

/// Runs `f` with interrupts off by `PSTATE.I` and the mask open, so that it sees what is signalled. They are off.
pub fn swapped(f: impl FnOnce()) {
    // As in `save`: with PSTATE.I set the mask may not be there yet.
    if !by_priority() || daif::are_off() {
        return f();
    }
    daif::save();
    open();
    f();
    begin();
}

/// An interrupt that is no stop signal was taken and acknowledged: lets stop signals through while it is handled.
pub fn enter_handler() {
    if by_priority() {
        gic::set_priority_mask(MASK_HELD);
        daif::enable();
    }
}

/// It is over. Only what the mask let through can have been interrupted by it, so the mask was open.
pub fn leave_handler() {
    if by_priority() {
        daif::save();
        open();
    }
}
