//! What the kernel asks of an architecture: small capability traits, and [`Arch`], their sum.
//!
//! The rule is that an algorithm never lives behind one of these. A method does one thing the hardware does, is as short
//! as the hardware allows, and says in which state it may be called. What a build lacks is absent from the type: the
//! traits for more than one CPU exist in the `smp` module only, and a UP build has no such module.

use core::fmt;

mod boot;
mod console;
mod efi;
mod irq;
mod memory;
mod mmu;
mod percpu;
pub mod platform;
mod power;
mod ram;
#[cfg(feature = "smp")]
mod smp;
mod stop;
mod thread;
mod time;
#[cfg(not(feature = "smp"))]
mod up;

pub use boot::BootOps;
pub use console::ConsoleOps;
pub use efi::EfiOps;
pub use irq::IrqOps;
pub use memory::{InStep, OutOfMemory};
pub use mmu::{FixedMapping, MmuOps, ShadowRoot, Slots};
pub use percpu::PerCpuOps;
pub use platform::Platform;
pub use power::{Go, PowerOps, Way, perhaps};
pub use ram::{EarlyRam, InPhysmap};
#[cfg(feature = "smp")]
pub use smp::{
    BootBlock, Bound, Door, Ipi, Rung, RungKind, SignalError, SmpArch, SmpBringUpOps, SmpHotplugOps,
    SmpStopOps, StartError, Targets,
};
pub use stop::StopOps;
pub use thread::ThreadOps;
pub use time::TimeOps;
#[cfg(not(feature = "smp"))]
pub use up::SmpArch;

/// A CPU as the hardware names it: 32-bit APIC id, or the affinity fields of `MPIDR_EL1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HwId(pub u64);

impl fmt::Display for HwId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// All of an architecture.
pub trait Arch:
    BootOps
    + ConsoleOps
    + PerCpuOps
    + IrqOps
    + TimeOps
    + MmuOps
    + ThreadOps
    + StopOps
    + EfiOps
    + PowerOps
    + SmpArch
    + Send
    + Sync
    + 'static
{
    /// As in the banner, the readiness line and `--arch`.
    const NAME: &'static str;
}
