//! Stopping other CPUs: SGIs ask, PSCI says who is off.

use boot_info::fdt::Conduit;
use kernel::arch::HwId;
use kernel::arch::{Bound, Ipi, Rung, RungKind, SignalError, SmpStopOps, Targets};
use kernel::inject::{self, Place};
use kernel::smp::stop_signal;
use smccc::psci::{AffinityState, LowestAffinityLevel, affinity_info};
use smccc::{Hvc, Smc};

use crate::exceptions::Frame;
use crate::gic::{self, sgi};
use crate::smp::masking;
use crate::stop::fill;
use crate::{Aarch64, psci};

/// Answered by whoever has interrupts on: locks are released, the console stays usable.
const POLITE: Rung = Rung {
    kind: RungKind::Interrupt,
    bound: Bound::ms_us(10, 500),
};

/// The same where there is nothing after it. Long, because an emulator's CPUs take turns: who is only slow is not to be
/// taken for one that is lost.
const POLITE_AND_LAST: Rung = Rung {
    bound: FIRM.bound,
    ..POLITE
};

/// Answered by all that execute instructions; as long.
const FIRM: Rung = Rung {
    kind: RungKind::NonMaskable,
    bound: Bound::ms_us(50, 10_000),
};

/// The SGI of each rung.
const SIGNALS: [u32; 2] = [sgi::STOP, sgi::STOP_NOW];

impl SmpStopOps for Aarch64 {
    fn send_ipi(hw: HwId, ipi: Ipi) {
        match ipi {
            Ipi::Resched => gic::smp::send_sgi(hw.0, sgi::RESCHED),
            // Where nothing lets it through it would only be late.
            Ipi::NonMaskable if masking::lets_stop_through() => gic::smp::send_sgi(hw.0, sgi::STOP_NOW),
            Ipi::NonMaskable => {}
        }
    }

    fn rungs() -> &'static [Rung] {
        match (gic::is_ready(), masking::lets_stop_through()) {
            (true, true) => &[POLITE, FIRM],
            (true, false) => &[POLITE_AND_LAST],
            (false, _) => &[],
        }
    }

    fn signal(rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
        let sgi = *SIGNALS.get(rung).ok_or(SignalError)?;
        match gic::smp::send_sgi_to_all(targets, sgi) {
            true => Ok(()),
            false => Err(SignalError),
        }
    }

    /// `AFFINITY_INFO` (DEN0022 5.1.5).
    fn hw_off(hw: HwId) -> Option<bool> {
        let level = LowestAffinityLevel::All;
        let state = match psci::conduit()? {
            Conduit::Hvc => affinity_info::<Hvc>(hw.0, level),
            Conduit::Smc => affinity_info::<Smc>(hw.0, level),
        };
        state.ok().map(|state| state == AffinityState::Off)
    }

    fn sees_power() -> bool {
        psci::conduit().is_some()
    }
}

/// How a stopped CPU leaves, as the park page wants to know: by `CPU_OFF`, where there is PSCI.
#[inline(always)]
pub fn leave() -> u64 {
    match psci::conduit() {
        _ if !inject::at(Place::CpuOff, 0).goes() => 0,
        Some(Conduit::Hvc) => 1,
        Some(Conduit::Smc) => 2,
        None => 0,
    }
}

/// Whether an interrupt is a stop signal.
pub fn is_stop(n: u32) -> bool {
    SIGNALS.contains(&n)
}

/// Answers a stop signal.
pub fn stop_interrupt(n: u32, frame: &Frame) {
    let kind = match n {
        sgi::STOP_NOW => RungKind::NonMaskable,
        _ => RungKind::Interrupt,
    };
    stop_signal::<Aarch64>(kind, &|out| fill(frame, out));
}

/// Another software generated interrupt arrived.
pub fn sgi_interrupt(n: u32) {
    if n == sgi::RESCHED {
        kernel::sched::resched_interrupt::<Aarch64>();
    }
}
