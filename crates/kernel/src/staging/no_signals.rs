//! Signals that a fault sends: a build for one CPU has none.

use crate::arch::Arch;

pub(super) fn nmi_self<A: Arch>() {}

pub(super) fn storm<A: Arch>() {}
