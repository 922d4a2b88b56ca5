//! Commands about CPUs that go off and come back: there are none in this build, and they say so.
#![expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's functions of these names need them"
)]

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
