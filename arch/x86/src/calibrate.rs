//! How fast the TSC and the local APIC's timer run.

use crate::apic::{LocalApic, timer};
use crate::cpu::{self, Features};
use crate::pit::Pit;
use crate::pmtimer::PmTimer;
use crate::reference::{Reference, between, sample, wait};

/// The TSC's frequency where CPUID tells it: crystal and ratio (leaf 15h), or a hypervisor's word (leaf 4000_0010h).
/// Only with TSC deadlines, since the other timer needs measuring anyhow.
pub fn known_tsc_hz() -> Option<u64> {
    if !cpu::has(Features::TSC_DEADLINE) {
        return None;
    }
    let id = cpu::id();
    let crystal = id.get_tsc_info().and_then(|tsc| tsc.tsc_frequency());
    crystal
        .or_else(|| {
            id.get_hypervisor_info()?
                .tsc_frequency()
                .map(|khz| u64::from(khz) * 1000)
        })
        .filter(|hz| *hz > 0)
}

/// A stretch of time as three clocks saw it.
struct Window {
    tsc: u64,
    timer: u64,
    reference: u64,
    reference_hz: u64,
}

impl Window {
    fn tsc_hz(&self) -> Option<u64> {
        let product = u128::from(self.tsc) * u128::from(self.reference_hz);
        let hz = u64::try_from(product.checked_div(self.reference.into())?).ok()?;
        // Below 1 MHz or above 100 GHz the measurement, not the CPU, is out of the ordinary.
        (1_000_000..100_000_000_000).contains(&hz).then_some(hz)
    }
}

/// One millisecond is long enough: each end is known to a fraction of a microsecond.
const WINDOW_HZ: u64 = 1000;

/// Measures the TSC, in Hz, and notes the ratio to it of the local APIC's timer.
///
/// # Errors
/// Neither reference clock answered sensibly.
pub fn tsc_hz(apic: LocalApic, pm_timer: Option<PmTimer>) -> Result<u64, &'static str> {
    apic.start_counting();
    let window = pm_timer
        .and_then(|timer| measure(apic, &timer))
        .or_else(|| measure(apic, &Pit::start()));
    apic.stop_counting();
    let window = window.ok_or("neither the ACPI timer nor the 8254 counts")?;
    timer::set_ratio(window.timer, window.tsc);
    window.tsc_hz().ok_or("the TSC does not run at a sensible rate")
}

fn measure<R: Reference>(apic: LocalApic, reference: &R) -> Option<Window> {
    let start = sample(reference)?;
    let first = apic.counted();
    if !wait(reference, start, (R::HZ / WINDOW_HZ) as u32) {
        return None;
    }
    let end = sample(reference)?;
    let window = Window {
        tsc: end.tsc.wrapping_sub(start.tsc),
        timer: apic.counted().wrapping_sub(first).into(),
        reference: between(reference.mask(), start.ticks, end.ticks).into(),
        reference_hz: R::HZ,
    };
    window.tsc_hz().map(|_| window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_from_windows() {
        let window = |tsc, reference| Window {
            tsc,
            timer: 0,
            reference,
            reference_hz: PmTimer::HZ,
        };
        assert_eq!(window(1_000_000_000, PmTimer::HZ).tsc_hz(), Some(1_000_000_000));
        assert_eq!(window(3_000_000, 3580).tsc_hz(), Some(2_999_618_715));
        assert_eq!(window(3_000_000, 0).tsc_hz(), None);
        assert_eq!(window(u64::MAX, 1).tsc_hz(), None);
        assert_eq!(window(100, 3580).tsc_hz(), None);
    }
}
