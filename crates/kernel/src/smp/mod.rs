//! More than one CPU: starting them, waking them, stopping them. A UP build has none of this module.

mod blocks;
mod bringup;
pub(crate) mod hotplug;
mod missing;
#[cfg(any(feature = "fault-injection", test))]
mod next;
mod ops;
mod params;
mod stop;
mod watch;

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

pub use bringup::secondary_start;
pub(crate) use bringup::smp_init;
pub(crate) use hotplug::leave_if_asked;
#[cfg(any(feature = "fault-injection", test))]
pub(crate) use next::start_all_again;
pub(crate) use params::PARAMS;
pub use stop::stop_signal;

use crate::cpu::NR_CPUS;

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

/// CPUs this boot wanted to start, itself included.
pub(crate) fn wanted_cpus() -> u32 {
    u32::try_from(MAX_CPUS.load(Ordering::Relaxed).max(1)).unwrap_or(u32::MAX)
}
