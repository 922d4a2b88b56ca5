//! The kernel, generic over the architecture it runs on.
//!
//! Read [`start_kernel`] first: one screen, one step a line. [`arch`] is what an architecture has to provide; nothing in
//! this crate knows which one it is. An SMP build has the module [`smp`]; a UP build has the same names without anybody
//! to start, signal or stop.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod account;
pub mod arch;
mod banner;
pub mod canary;
pub mod clock;
pub mod console;
pub mod cpu;
pub mod efi;
pub mod facts;
mod hooks;
mod image;
#[cfg(any(feature = "fault-injection", test))]
pub mod inject;
#[cfg(not(any(feature = "fault-injection", test)))]
#[path = "inject/off.rs"]
pub mod inject;
pub mod irq;
pub mod mm;
mod monitor;
pub mod panic;
pub mod params;
mod percpu_areas;
pub mod phase;
mod power;
pub mod sched;
#[cfg(feature = "smp")]
pub mod smp;
#[cfg(any(feature = "fault-injection", test))]
mod staging;
#[cfg(not(any(feature = "fault-injection", test)))]
#[path = "staging/off.rs"]
mod staging;
mod start;
pub mod stop;
mod tick;
pub mod trace;
#[cfg(not(feature = "smp"))]
pub mod up;
#[cfg(not(feature = "smp"))]
use up as smp;

pub use sched::input_ready;
pub use start::start_kernel;
