//! The kernel for aarch64: arm64 Image protocol, PSCI, GICv2 or GICv3, generic timer, PL011.
#![no_std]
#![no_main]
#![expect(
    dead_code,
    reason = "the generic kernel that calls the rest is not linked yet"
)]

mod boot;
mod console;
mod entry;
mod exceptions;
mod layout;
mod mmu;
mod percpu;

/// The architecture, as the generic kernel knows it.
struct Aarch64;
