//! Interrupts off and on so that "off" still lets the stop signal of last resort through, where CPU and GIC can do it: then
//! a CPU that spins with interrupts off can be stopped.
//!
//! With FEAT_NMI and GICv3.3 that signal is a non-maskable interrupt. Off is: `PSTATE.I` set and `PSTATE.ALLINT` clear.
//!
//! With another GICv3 off is: `ICC_PMR_EL1` at [`MASK_HELD`] and `PSTATE.I` clear. `PSTATE.I` set is off, too, and holds back
//! everything: so it is on a CPU that has not set its controller up, in the few instructions of exception entry and return,
//! and where the priority mask does not work.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

use aarch64_cpu::registers::DAIF;
use tock_registers::interfaces::{Readable, Writeable};

use super::nmi;
use crate::daif;
use crate::gic::priority::{MASK_HELD, MASK_OPEN};
use crate::gic::smp as gic;

const BY_PSTATE: u8 = 0;
/// By `PSTATE.I`, which does not hold back an interrupt with superpriority.
const WITH_NMI: u8 = 1 << 0;
const BY_PRIORITY: u8 = 1 << 1;
/// As before, and the distributor looks at priority masks: it has to hear of a new one (`ICC_CTLR_EL1.PMHE`).
const BY_PRIORITY_TOLD: u8 = BY_PRIORITY | 1 << 2;

/// How this machine does it. Changed once, by the boot CPU, before there is any other.
static HOW: AtomicU8 = AtomicU8::new(BY_PSTATE);

#[inline(always)]
fn how() -> u8 {
    HOW.load(Ordering::Relaxed)
}

#[inline(always)]
fn by_priority() -> bool {
    how() & BY_PRIORITY != 0
}

/// Whether "off" lets the stop signal of last resort through.
#[inline(always)]
pub fn lets_stop_through() -> bool {
    how() != BY_PSTATE
}

/// Decides, on the boot CPU, once its controller is set up. Interrupts are off.
pub fn choose() {
    let (how, what) = if gic::has_nmis() {
        (
            WITH_NMI,
            "by PSTATE.I; the stop signal is an NMI and comes through",
        )
    } else if !gic::masks_by_priority() {
        (BY_PSTATE, "by PSTATE.I, which holds back the stop signal as well")
    } else if gic::distributor_looks_at_mask() {
        (BY_PRIORITY_TOLD, PSEUDO)
    } else {
        (BY_PRIORITY, PSEUDO)
    };
    HOW.store(how, Ordering::Relaxed);
    // What was tried out is set up.
    enter_handler();
    kernel::info!("irq: masked {what}");
}

const PSEUDO: &str = "by priority; the stop signal is a pseudo-NMI and comes through";

/// From here on the executing CPU's interrupts, a secondary's, are off in this manner. They are off, and its controller is set up.
///
/// # Errors
/// A sentence, if it cannot do as the boot CPU does.
pub fn begin() -> Result<(), &'static str> {
    if how() == WITH_NMI {
        gic::begin_nmis()?;
    }
    enter_handler();
    Ok(())
}

/// Lets all through.
#[inline(always)]
fn open() {
    gic::set_priority_mask(MASK_OPEN);
    if how() == BY_PRIORITY_TOLD {
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
    swap();
    daif::wait();
    swap_back();
}

fn swap() {
    if by_priority() {
        daif::save();
        open();
    }
}

fn swap_back() {
    if by_priority() {
        gic::set_priority_mask(MASK_HELD);
        daif::enable();
    }
}

/// Runs `f` with interrupts off by `PSTATE.I` and the mask open, so that it sees what is signalled. They are off.
pub fn swapped(f: impl FnOnce()) {
    // As in `save`: with PSTATE.I set the mask may not be there yet.
    if !by_priority() || daif::are_off() {
        return f();
    }
    swap();
    f();
    swap_back();
}

/// Runs `f` with nothing at all coming in between.
pub fn undisturbed<R>(f: impl FnOnce() -> R) -> R {
    let (daif, open) = (DAIF.get(), how() == WITH_NMI && !nmi::is_held_back());
    // SAFETY: masking every exception is always sound.
    unsafe { asm!("msr daifset, #0xf", options(nostack, preserves_flags)) };
    if open {
        nmi::hold_back(true);
    }
    let result = f();
    if open {
        nmi::hold_back(false);
    }
    DAIF.set(daif);
    result
}

/// An interrupt that is no stop signal was taken and acknowledged: lets stop signals through while it is handled.
pub fn enter_handler() {
    match how() {
        BY_PSTATE => {}
        WITH_NMI => nmi::hold_back(false),
        _ => swap_back(),
    }
}

/// It is over. Only what "off" let through can have been interrupted by it, so all was open; the return from the exception
/// makes it so again.
pub fn leave_handler() {
    match how() {
        BY_PSTATE => {}
        WITH_NMI => nmi::hold_back(true),
        _ => swap(),
    }
}
