//! Commands and tests about CPUs that go off and come back.

#[cfg(feature = "smp")]
mod selftest;
#[cfg(feature = "smp")]
mod smp;
#[cfg(not(feature = "smp"))]
mod up;
#[cfg(not(feature = "smp"))]
use up as smp;

pub(super) use smp::{bring_on, cycle, selftests, take_off};
