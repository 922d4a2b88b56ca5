//! No faults are staged: the names of the other `inject`, without any code behind them.

#[path = "places.rs"]
mod places;

use boot_info::cmdline::Param;
pub use places::{Effect, Place};

/// Words of the command line that only a kernel with faults in it knows.
pub(crate) const PARAMS: &[Param] = &[];

/// Nothing was asked for.
#[inline(always)]
pub(crate) const fn seal() {}

/// Whether the report of a stop is wanted even if it is a good one: no.
#[inline(always)]
pub(crate) const fn is_staged() -> bool {
    false
}

/// Nothing happens here.
#[inline(always)]
pub const fn at(_place: Place, _detail: u32) -> Effect {
    Effect::Go
}
