//! One CPU: the names of [`crate::smp`] without anybody to start, signal or stop.
#![expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's functions of these names need them"
)]

use crate::arch::Arch;
use crate::cpu::CpuId;
use crate::mm::Synced;
use crate::println;
use crate::stop::Machine;

/// What an architecture adds in a UP build: nothing.
pub trait SmpArch {}

impl<A> SmpArch for A {}

/// As in the banner and the readiness line.
pub const BUILD: &str = "up";

/// Most CPUs this boot may run.
pub(crate) fn cpu_limit() -> usize {
    1
}

/// Nobody to start. The tables are in step all the same: firmware calls and the real-mode reboot use the shadow too.
pub(crate) fn smp_init<A: Arch>(_method: &str, _tables: Synced) {
    println!("@cpus expected=0 started=0 online=0 missing= ns=0");
}

/// Words of the command line that only an SMP build knows.
pub(crate) const PARAMS: &[boot_info::cmdline::Param] = &[];

/// CPUs this boot wanted to start, itself included.
pub(crate) fn wanted_cpus() -> u32 {
    1
}

/// Nobody to wake.
pub(crate) fn kick<A: Arch>(_cpu: CpuId) {}

/// The engine for one CPU, over this kernel's [`STOP`](crate::stop::STOP) area: the same call, the same report.
pub(crate) type Engine<'a, A> = smp_stop::up::Engine<'a, Machine<'a, A>>;
