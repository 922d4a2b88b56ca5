//! Staging: carries out the faults that [`crate::inject`] finds due, with all of the kernel at hand. Only in a kernel that was
//! built for it (feature `fault-injection`).

mod act;
mod commands;
#[cfg(not(feature = "smp"))]
mod no_signals;
#[cfg(feature = "smp")]
mod signals;
#[cfg(not(feature = "smp"))]
use no_signals as signals;

pub(crate) use act::begin;
pub(crate) use commands::command;
