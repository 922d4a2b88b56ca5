//! Whether superpriority lets an interrupt through on this machine, or else whether priorities hold others back.
//!
//! With two security states a priority means one thing to the distributor and another to the CPU, depending on which state
//! the CPU is in and what firmware routes where (GIC 4.8.1). So it is tried out: with `PSTATE.I` set, `ISR_EL1` shows
//! whether an interrupt reaches the CPU, and none is taken.

use super::{give_superpriority, priority_mask, send_sgi, set_priority_mask};
use crate::gic::priority::{MASK_HELD, MASK_OPEN};
use crate::gic::{acknowledge, end, sgi};
use crate::smp::nmi;
use crate::{cpu, daif, timer};

/// Milliseconds a signal to itself may take.
const PATIENCE_MS: u64 = 10;

/// Interrupts are off, this CPU's part is set up, its SGIs are on.
pub(in crate::gic) fn priority_mask_works() -> bool {
    let works = try_out().is_some();
    set_priority_mask(MASK_OPEN);
    clear();
    works
}

/// The same, and both CPU and controller know NMIs. If they work, they are on, and `PSTATE.ALLINT` holds them back.
pub(in crate::gic) fn nmis_work() -> bool {
    let works = try_out_nmis().is_some();
    clear();
    if !works {
        nmi::turn_off();
        // If that fails too, the signal has a priority more urgent than its own.
        let _ = give_superpriority(sgi::STOP_NOW, false);
    }
    works
}

/// Takes what a failed test left behind; there were two.
fn clear() {
    for irq in (0..2).map_while(|_| acknowledge()) {
        end(irq);
    }
}

fn to_myself(sgi: u32) {
    send_sgi(cpu::mpidr_affinity(), sgi);
}

/// A normal interrupt has no superpriority, and the stop signal has, and overtakes the other.
fn try_out_nmis() -> Option<()> {
    nmi::turn_on();
    give_superpriority(sgi::STOP_NOW, true)?;
    to_myself(sgi::RESCHED);
    wait_until(true)?;
    (!nmi::is_signalled()).then_some(())?;
    to_myself(sgi::STOP_NOW);
    timer::poll_ms(PATIENCE_MS, nmi::is_signalled).then_some(())?;
    take(sgi::STOP_NOW)?;
    (!nmi::is_signalled()).then_some(())?;
    take(sgi::RESCHED)
}

/// A normal interrupt comes with the mask open, is held back by it, and does not come in the way of an urgent one.
fn try_out() -> Option<()> {
    mask(MASK_OPEN)?;
    to_myself(sgi::RESCHED);
    wait_until(true)?;
    mask(MASK_HELD)?;
    wait_until(false)?;
    to_myself(sgi::STOP_NOW);
    wait_until(true)?;
    take(sgi::STOP_NOW)?;
    wait_until(false)?;
    mask(MASK_OPEN)?;
    wait_until(true)?;
    take(sgi::RESCHED)
}

/// Sets the mask; `None` if it has too few bits to hold it.
fn mask(value: u8) -> Option<()> {
    set_priority_mask(value);
    (priority_mask() == value).then_some(())
}

/// Waits until an interrupt is, or none is, signalled to this CPU.
fn wait_until(signalled: bool) -> Option<()> {
    timer::poll_ms(PATIENCE_MS, || daif::is_signalled() == signalled).then_some(())
}

fn take(sgi: u32) -> Option<()> {
    let irq = acknowledge()?;
    end(irq);
    (irq.intid() == sgi).then_some(())
}
