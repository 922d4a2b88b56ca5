//! Who we are: the banner, and the line that says the kernel is ready.

use ::trace::Phase;
use records::{Hex, OutOf, Ready};

use crate::arch::Arch;
use crate::{clock, image, info, mm, percpu_areas, println, smp, trace};

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

/// The one machine-readable line that marks readiness: so many CPUs are online, of those that this boot wanted.
pub(crate) fn ready<A: Arch>(online: u32, expected: u32) {
    trace::phase::<A>(Phase::Ready);
    let cpus = OutOf {
        have: online,
        want: expected,
    };
    let memory = mm::usage();
    let ready = Ready {
        arch: A::NAME,
        build: smp::BUILD,
        cpus,
        ns: clock::now_ns(),
        mem_kib: memory.ram >> 10,
        mem_used_kib: memory.used() >> 10,
        mem_left_kib: memory.left >> 10,
        percpu_bytes: percpu_areas::unit_bytes(),
        build_id: Hex(image::build_id()),
    };
    println!("{ready}");
}
