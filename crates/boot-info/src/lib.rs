//! What the machine told us at entry, in one shape.
//!
//! Three loaders speak three languages: Linux's x86 `boot_params`, Xen's PVH `start_info` and the
//! flattened device tree; [`efi`] is what may stand behind the first and the last. Each has a module here that reads it and fills one [`BootInfo`]; nothing
//! behind this crate knows which road the machine took.
//!
//! Every reader is *total*: whatever bytes the loader left, it returns, with a typed error or with
//! what could be made out, and it neither panics nor loops. Firmware is not an attacker, but it is
//! written by people, and a panic before the console is up is the one nobody can read.
//!
//! Nothing here allocates. The structures are large (`BootInfo` 10 KiB, `FdtInfo`
//! 25 KiB), so they are meant to live in statics and are filled in place: all of them are `const`
//! constructible and all zero, which keeps them out of the image.
#![cfg_attr(not(test), no_std)]

pub mod cmdline;
pub mod efi;
pub mod fdt;
mod info;
pub mod initrd;
pub mod linux_x86;
pub mod memblock;
mod memmap;
pub mod phys;
mod present;
pub mod pvh;
mod seed;
#[cfg(test)]
mod testing;

pub use cmdline::CommandLine;
pub use info::{BootInfo, Console, ConsoleKind, EfiInfo, Loader, Protocol};
pub use initrd::{Initrd, InitrdRefusal};
pub use memblock::Memblock;
pub use memmap::{Folded, MAX_REGIONS, MemKind, MemMap, MemRegion};
pub use phys::PhysMap;
pub use seed::Seed;
