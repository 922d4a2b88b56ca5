//! The kernel for aarch64: arm64 Image protocol, PSCI, GICv2 or GICv3, generic timer, PL011.
//!
//! Read `boot/head.s` and [`entry`] first. No algorithm lives here: each module does what one trait of
//! `kernel::arch` asks of the hardware. What entry finds and leaves behind is in `docs/boot-aarch64.md`.
#![no_std]
#![no_main]

extern crate alloc;

mod acpi;
mod boot;
mod console;
mod cpu;
mod daif;
mod devicetree;
mod efi;
mod entry;
mod exceptions;
mod gic;
mod irq;
mod layout;
mod mmu;
mod percpu;
mod power;
mod psci;
#[cfg(feature = "smp")]
mod smp;
mod stop;
mod thread;
mod timer;
#[cfg(not(feature = "smp"))]
mod up;
#[cfg(not(feature = "smp"))]
use up as smp;

/// The architecture, as the generic kernel knows it.
struct Aarch64;
