//! One CPU: the names of [`crate::smp`] without anybody to start, signal or stop.

use crate::arch::Arch;
use crate::irq::IrqOff;
use crate::mm::{Areas, Synced};
use crate::println;

/// As in the banner and the readiness line.
pub const BUILD: &str = "up";

/// Most CPUs this boot may run.
pub(crate) fn cpu_limit() -> usize {
    1
}

/// Nobody to start. The tables are in step all the same: firmware calls and the real-mode reboot use the shadow too.
pub(crate) fn smp_init<A: Arch>(_method: &str, tables: Synced<Areas>) {
    tables.enter::<A, _>("the end of bring-up", &[], |_| ());
    println!("{}", records::Cpus::alone());
}

/// Words of the command line that only an SMP build knows.
pub(crate) const PARAMS: &[boot_info::cmdline::Param] = &[];

/// CPUs this boot wanted to start, itself included.
pub(crate) fn wanted_cpus() -> u32 {
    1
}

/// The only CPU stays.
pub(crate) fn leave_if_asked<A: Arch>(_off: &IrqOff) {}

/// There is nobody to start.
#[cfg(any(feature = "fault-injection", test))]
#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's function of this name needs it"
)]
pub(crate) fn start_all_again<A: Arch>() {
    println!("{}", records::Next::none());
}
