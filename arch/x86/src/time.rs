//! The free-running counter (TSC) and the one-shot timer (local APIC), as the kernel's `TimeOps` want them.

use crate::apic::LocalApic;
use crate::calibrate;
use crate::machine;

pub use crate::calibrate::known_tsc_hz as known_hz;
pub use crate::regs::rdtsc as cycles;

/// Measures the TSC, in Hz, and the timer with it.
///
/// # Errors
/// No reference clock answered sensibly, or there is no local APIC.
pub fn calibrate() -> Result<u64, &'static str> {
    let apic = LocalApic::get().ok_or("no local APIC")?;
    calibrate::tsc_hz(apic, machine::get().and_then(|machine| machine.pm_timer))
}

/// Prepares the executing CPU's timer; silent.
pub fn init_timer() {
    if let Some(apic) = LocalApic::get() {
        apic.init_timer();
    }
}

/// One interrupt when the TSC has reached `at`.
pub fn set_timer(at: u64) {
    if let Some(apic) = LocalApic::get() {
        apic.set_timer(at);
    }
}
