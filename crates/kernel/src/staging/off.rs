//! No faults are staged: the names of the other `staging`, without any code behind them.
#![expect(
    clippy::extra_unused_type_parameters,
    reason = "the other module's functions of these names need them"
)]

use crate::arch::Arch;

/// Nothing to get ready.
#[inline(always)]
pub(crate) const fn begin<A: Arch>() {}

/// No command of this module.
#[inline(always)]
pub(crate) const fn command<A: Arch>(
    _name: &str,
    _rest: &str,
    _run_line: fn(&str),
) -> Option<Result<(), &'static str>> {
    None
}
