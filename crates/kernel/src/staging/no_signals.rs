//! Signals that a fault sends: a build for one CPU has none.
#![expect(
    clippy::extra_unused_type_parameters,
    reason = "the SMP build's functions of these names need them"
)]

use crate::arch::Arch;

pub(super) fn nmi_self<A: Arch>() {}

pub(super) fn storm<A: Arch>() {}
