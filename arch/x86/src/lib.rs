//! What the two x86 kernels share: interrupt controllers, clocks, the serial port, CPU features, power.
//!
//! Everything here works at both widths; what differs in width (descriptor tables, vectors, the per-CPU register) is in
//! the kernels' own crates.
#![cfg_attr(not(test), no_std)]
#![cfg(any(target_arch = "x86", target_arch = "x86_64"))]

pub mod apic;
pub mod boot;
pub mod calibrate;
pub mod cpu;
pub mod entropy;
pub mod io;
pub mod ioapic;
pub mod irqflag;
pub mod pic;
pub mod pit;
pub mod pmtimer;
mod ratio;
pub mod regs;
pub mod uart;
pub mod vectors;
