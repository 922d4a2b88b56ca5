//! What the command line says about CPUs.

use core::sync::atomic::Ordering;

use boot_info::cmdline::{Param, ValueError, number_up_to};

use super::{MAX_CPUS, NR_CPUS_LIMIT, STOP_GRACE_MS};

/// Words of the command line that only an SMP build knows.
pub(crate) const PARAMS: &[Param] = &[
    Param {
        name: "nr_cpus",
        help: "nr_cpus=N  make room for at most N CPUs; the others can never be started",
        parse: |value| at_least_one(value).map(|n| NR_CPUS_LIMIT.store(n, Ordering::Relaxed)),
    },
    Param {
        name: "maxcpus",
        help: "maxcpus=N  start at most N CPUs at boot; 0 and 1 mean the boot CPU alone",
        parse: |value| number_up_to(u64::MAX, value).map(|n| MAX_CPUS.store(clamp(n), Ordering::Relaxed)),
    },
    Param {
        name: "nosmp",
        help: "nosmp  start no CPU but the boot CPU, as maxcpus=0",
        parse: |_| {
            MAX_CPUS.store(0, Ordering::Relaxed);
            Ok(())
        },
    },
    Param {
        name: "stop_grace",
        help: "stop_grace=N  give a CPU N milliseconds at least before it counts as silent in a stop; at most a minute",
        parse: |value| {
            number_up_to(60_000, value).map(|ms| STOP_GRACE_MS.store(ms as u32, Ordering::Relaxed))
        },
    },
];

fn at_least_one(value: Option<&str>) -> Result<usize, ValueError> {
    match number_up_to(u64::MAX, value)? {
        0 => Err(ValueError::Other("must be at least 1")),
        n => Ok(clamp(n)),
    }
}

fn clamp(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
