//! One CPU: the names of [`crate::smp`] without anybody to start, signal or stop.
#![expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's functions of these names need them"
)]

use crate::arch::Arch;
use crate::cpu::CpuId;
use crate::irq::IrqOff;
use crate::mm::{Areas, Synced};
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
pub(crate) fn smp_init<A: Arch>(_method: &str, tables: Synced<Areas>) {
    tables.enter::<A, _>("the end of bring-up", &[], |_| ());
    println!("@cpus expected=0 started=0 online=0 missing= ns=0");
}

/// Words of the command line that only an SMP build knows.
pub(crate) const PARAMS: &[boot_info::cmdline::Param] = &[];

/// CPUs this boot wanted to start, itself included.
pub(crate) fn wanted_cpus() -> u32 {
    1
}

/// The only CPU stays.
pub(crate) fn leave_if_asked<A: Arch>(_off: &IrqOff) {}

/// The monitor's commands about CPUs that go off and come back: there are none in this build, and they say so.
pub(crate) mod monitor {
    use crate::arch::Arch;
    use crate::monitor::selftest::Test;

    type Outcome = Result<(), &'static str>;
    const ONE_CPU: Outcome = Err("this kernel was built for one CPU");

    pub(crate) fn take_off<A: Arch>(_which: &str) -> Outcome {
        ONE_CPU
    }

    pub(crate) fn bring_on<A: Arch>(_which: &str) -> Outcome {
        ONE_CPU
    }

    pub(crate) fn cycle<A: Arch>(_text: &str) -> Outcome {
        ONE_CPU
    }

    pub(crate) fn selftests<A: Arch>() -> [Test; 0] {
        []
    }
}

/// A build for one CPU sends no signals.
#[cfg(any(feature = "fault-injection", test))]
pub(crate) fn nmi_self<A: Arch>() {}

/// A build for one CPU sends no signals.
#[cfg(any(feature = "fault-injection", test))]
pub(crate) fn storm<A: Arch>() {}

/// There is nobody to start.
#[cfg(any(feature = "fault-injection", test))]
pub(crate) fn start_all_again<A: Arch>() {
    println!("@next started= lost= left=");
}

/// Nobody to wake.
pub(crate) fn kick<A: Arch>(_cpu: CpuId) {}

/// The engine for one CPU, over this kernel's [`STOP`](crate::stop::STOP) area: the same call, the same report.
pub(crate) type Engine<'a, A> = smp_stop::up::Engine<'a, Machine<'a, A>>;
