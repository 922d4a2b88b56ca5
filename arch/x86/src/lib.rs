//! What the two x86 kernels share: interrupt controllers, clocks, the serial port, CPU features, power.
//!
//! Everything here works at both widths; what differs in width (descriptor tables, vectors, the per-CPU register) is in
//! the kernels' own crates.
#![cfg_attr(not(test), no_std)]
#![cfg(any(target_arch = "x86", target_arch = "x86_64"))]

#[cfg(feature = "smp")]
extern crate alloc;

pub mod apic;
pub mod boot;
pub mod calibrate;
pub mod cpu;
pub mod desc;
pub mod discover;
pub mod entropy;
pub mod fpu;
pub mod handover;
pub mod interrupts;
pub mod io;
pub mod ioapic;
pub mod irqflag;
pub mod machine;
pub mod params;
pub mod pic;
pub mod pit;
pub mod pmtimer;
pub mod power;
mod ratio;
pub mod reference;
pub mod regs;
#[cfg(feature = "smp")]
pub mod smp;
pub mod stop;
pub mod time;
pub mod trap;
pub mod uart;
#[cfg(not(feature = "smp"))]
mod up;
pub mod vectors;
