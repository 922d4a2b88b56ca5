//! Who we are: the banner, and the line that says the kernel is ready.

use core::fmt;

use ::trace::Phase;

use crate::arch::Arch;
use crate::{clock, image, info, mm, percpu_areas, println, smp, start, trace};

/// Bytes as hexadecimal digits.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Version, compiler, build id, architecture, and whether this is a UP or an SMP build.
pub(crate) fn print<A: Arch>() {
    info!(
        "Standstill {} ({} {} {}) {}",
        env!("CARGO_PKG_VERSION"),
        A::NAME,
        smp::BUILD,
        if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
        env!("STANDSTILL_RUSTC"),
    );
    info!("build-id {}", Hex(image::build_id()));
}

/// The one machine-readable line that marks readiness.
pub(crate) fn ready<A: Arch>() {
    trace::phase::<A>(Phase::Ready);
    let (online, expected) = start::cpu_counts();
    println!(
        "@ready arch={} build={} cpus={online}/{expected} ns={} mem_used_kib={} percpu_bytes={} build_id={}",
        A::NAME,
        smp::BUILD,
        clock::now_ns(),
        mm::usage().used() >> 10,
        percpu_areas::unit_bytes(),
        Hex(image::build_id()),
    );
}
