//! More than one CPU: starting them, waking them, stopping them. A UP build has none of this module.

mod blocks;
mod bringup;
mod hotplug;
#[cfg(any(feature = "fault-injection", test))]
mod next;
mod ops;
mod params;
mod stop;

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

pub use bringup::secondary_start;
pub(crate) use bringup::smp_init;
pub(crate) use hotplug::{leave_if_asked, monitor};
#[cfg(any(feature = "fault-injection", test))]
pub(crate) use next::start_all_again;
pub use ops::{
    BootBlock, Bound, Ipi, Rung, RungKind, SignalError, SmpArch, SmpBringUpOps, SmpHotplugOps, SmpStopOps,
    StartError, Targets,
};
pub(crate) use params::PARAMS;
pub(crate) use stop::Engine;
pub use stop::stop_signal;

use ::trace::Event;

use crate::arch::Arch;
use crate::cpu::{self, CpuId, NR_CPUS};
use crate::trace;

/// As in the banner and the readiness line.
pub const BUILD: &str = "smp";

/// `nr_cpus=`: CPUs this boot makes room for.
pub(crate) static NR_CPUS_LIMIT: AtomicUsize = AtomicUsize::new(NR_CPUS);
/// `maxcpus=`, `nosmp`: CPUs that are started at boot.
pub(crate) static MAX_CPUS: AtomicUsize = AtomicUsize::new(NR_CPUS);

/// `stop_grace=`, in milliseconds.
pub(crate) static STOP_GRACE_MS: AtomicU32 = AtomicU32::new(0);

/// Most CPUs this boot may run.
pub(crate) fn cpu_limit() -> usize {
    NR_CPUS_LIMIT.load(Ordering::Relaxed).clamp(1, NR_CPUS)
}

/// Interrupts `cpu` so that it looks at its run queue.
pub(crate) fn kick<A: Arch>(cpu: CpuId) {
    if let Some(hw) = cpu::hw_id(cpu) {
        trace::here::<A>(Event::IpiSent {
            to: trace::number(Some(cpu)),
        });
        A::send_ipi(cpu, hw, Ipi::Resched);
    }
}

/// Sends the executing CPU a non-maskable interrupt, where there are such.
#[cfg(any(feature = "fault-injection", test))]
pub(crate) fn nmi_self<A: Arch>() {
    let me = A::hw_id();
    A::send_ipi(cpu::by_hw_id(me).unwrap_or(cpu::BOOT_CPU), me, Ipi::NonMaskable);
}

/// Interrupts all other CPUs, in every way there is, whatever they do.
#[cfg(any(feature = "fault-injection", test))]
pub(crate) fn storm<A: Arch>() {
    let me = A::hw_id();
    let others = cpu::POSSIBLE.snapshot();
    let others = others.iter().filter_map(|id| Some((id, cpu::hw_id(id)?)));
    for (id, hw) in others.filter(|(_, hw)| *hw != me) {
        A::send_ipi(id, hw, Ipi::Resched);
        A::send_ipi(id, hw, Ipi::NonMaskable);
    }
}

/// CPUs this boot wanted to start, itself included.
pub(crate) fn wanted_cpus() -> u32 {
    u32::try_from(MAX_CPUS.load(Ordering::Relaxed).max(1)).unwrap_or(u32::MAX)
}
