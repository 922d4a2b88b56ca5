//! Whether priorities hold interrupts back on this machine.
//!
//! With two security states a priority means one thing to the distributor and another to the CPU, depending on which state
//! the CPU is in and what firmware routes where (GIC 4.8.1). So it is tried out: with `PSTATE.I` set, `ISR_EL1` shows
//! whether an interrupt reaches the CPU, and none is taken.

use super::{priority_mask, send_sgi, set_priority_mask};
use crate::gic::priority::{MASK_HELD, MASK_OPEN};
use crate::gic::{acknowledge, end, sgi};
use crate::{cpu, daif, timer};

/// Milliseconds a signal to itself may take.
const PATIENCE_MS: u64 = 10;

/// Interrupts are off, this CPU's part is set up, its SGIs are on.
pub(in crate::gic) fn priority_mask_works() -> bool {
    let works = try_out().is_some();
    set_priority_mask(MASK_OPEN);
    // What a failed test left behind; there were two.
    for irq in (0..2).map_while(|_| acknowledge()) {
        end(irq);
    }
    works
}

/// A normal interrupt comes with the mask open, is held back by it, and does not come in the way of an urgent one.
fn try_out() -> Option<()> {
    let to_myself = |sgi| send_sgi(cpu::mpidr_affinity(), sgi);
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
