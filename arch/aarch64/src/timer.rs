//! The generic timer: the counter, and one one-shot timer per CPU (Arm ARM D12).

use aarch64_cpu::asm::{barrier, wfi};
use aarch64_cpu::registers::{
    CNTFRQ_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0, CNTVCT_EL0,
};
use boot_info::fdt::{Interrupt, Timer};
use core::sync::atomic::Ordering;
use kernel::arch::TimeOps;
use tock_registers::interfaces::{Readable, Writeable};

use crate::boot::BOOT_EL;
use crate::{Aarch64, daif, devicetree, gic};

/// Which of the two timers EL1 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// Always there for EL1.
    Virtual,
    /// Ours only if nobody sits above: entered at EL2, where entry code opened it and cleared the virtual offset, so
    /// that it counts as the virtual counter does.
    Physical,
}

/// The timer in use and its interrupt, by the device tree's list; the virtual one unless it has no interrupt.
fn choice() -> (Which, u32) {
    /// The numbers nearly every machine has (BSA, "PPI assignments").
    const VIRTUAL_PPI: u32 = 27;
    let timer = devicetree::info().timer.unwrap_or_default();
    // Each CPU has one: a table that gives a number shared by all is wrong.
    let private = |irq: Option<Interrupt>| irq.filter(|irq| (16..32).contains(&irq.intid));
    match (private(timer.virt), private(timer.physical)) {
        (Some(irq), _) => (Which::Virtual, irq.intid),
        (None, Some(irq)) if BOOT_EL.load(Ordering::Relaxed) == 2 => (Which::Physical, irq.intid),
        _ => (Which::Virtual, VIRTUAL_PPI),
    }
}

/// The timer's interrupt number.
pub fn intid() -> u32 {
    choice().1
}

/// The counter. The barrier keeps the read from being made before what comes before it in the program.
#[inline]
pub fn counter() -> u64 {
    barrier::isb(barrier::SY);
    CNTVCT_EL0.get()
}

const OFF: u64 = 0;
const ON: u64 = 1;

fn program(control: u64, at: Option<u64>) {
    match choice().0 {
        Which::Virtual => {
            at.into_iter().for_each(|at| CNTV_CVAL_EL0.set(at));
            CNTV_CTL_EL0.set(control);
        }
        Which::Physical => {
            at.into_iter().for_each(|at| CNTP_CVAL_EL0.set(at));
            CNTP_CTL_EL0.set(control);
        }
    }
    barrier::isb(barrier::SY);
}

/// Gives other CPUs a turn for a `parts`th of a second at most, and less once there is an interrupt. For a CPU that waits for
/// them with interrupts off and uses its timer for nothing else any more; `PSTATE.I` is set.
///
/// An emulator whose CPUs take turns lets one run until it sleeps, or until the next timer is due. So this sleeps, but only
/// once it has seen that the timer would end that: the interrupt may not be enabled yet, or another of the same priority be
/// in the middle of being handled.
pub fn nap(parts: u64) {
    let (now, turn) = (counter(), Aarch64::known_hz().unwrap_or(0) / parts);
    let (control, due) = match choice().0 {
        Which::Virtual => (CNTV_CTL_EL0.get(), CNTV_CVAL_EL0.get()),
        Which::Physical => (CNTP_CTL_EL0.get(), CNTP_CVAL_EL0.get()),
    };
    if control & ON == 0 || due.saturating_sub(now) > turn {
        program(ON, Some(now));
    }
    let came = daif::is_signalled();
    if came || due <= now {
        program(ON, Some(now + turn));
    }
    match came && !daif::is_signalled() {
        true => wfi(),
        false => core::hint::spin_loop(),
    }
}

/// Takes the interrupt's level away, until the next [`TimeOps::set_timer`].
pub fn silence() {
    program(OFF, None);
}

/// Polls until `done` or for `ms` milliseconds; whether it was `done`. For registers that settle within microseconds.
pub fn poll_ms(ms: u64, mut done: impl FnMut() -> bool) -> bool {
    /// Bounds the wait should the counter stand still.
    const POLLS: u32 = 10_000_000;
    let (start, hz) = (counter(), Aarch64::known_hz().unwrap_or(1_000_000_000));
    for _ in 0..POLLS {
        if done() {
            return true;
        }
        if counter().wrapping_sub(start) > hz / 1000 * ms {
            break;
        }
    }
    done()
}

impl TimeOps for Aarch64 {
    fn cycles() -> u64 {
        counter()
    }

    fn known_hz() -> Option<u64> {
        let corrected = devicetree::info().timer.and_then(|t| t.frequency());
        corrected
            .or(Some(CNTFRQ_EL0.get()))
            .filter(|hz| Timer::FREQUENCIES.contains(hz))
    }

    fn calibrate() -> Result<u64, &'static str> {
        Err("CNTFRQ_EL0 cannot be a frequency, and the device tree's timer has none either")
    }

    fn init_timer() {
        silence();
        gic::enable_private(intid());
    }

    fn set_timer(at: u64) {
        program(ON, Some(at));
    }
}
