//! What the UEFI loader does that needs no firmware: finds the parts it carries, looks at the kernel, chooses its place, and
//! fills in what the kernel will read. The program around it, `standstill-efi`, makes the firmware's calls.
//!
//! One `.efi` file carries everything as sections, as unified kernel images do:
//!
//! | section | |
//! |---|---|
//! | `.linux` | the kernel: a bzImage on x86, an arm64 Image on aarch64 |
//! | `.initrd` | the initial RAM disk, if there is one |
//! | `.cmdline` | the command line, if it is fixed |
//!
//! The contract with the kernel is Linux's, see `docs/boot-uefi.md`.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod arm64;
pub mod bzimage;
pub mod cmdline;
pub mod e820;
mod error;
pub mod memory;
pub mod parts;
pub mod place;
pub mod tree;
pub mod zero_page;

pub use error::Error;

/// The unit of firmware's memory, bytes (UEFI 2.10, 7.2).
pub const PAGE: u64 = 4096;

/// What a kernel wants of the memory it is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes from its first to the end of what it uses before it knows of any other memory.
    pub bytes: u64,
    /// Its address is a multiple of this, a power of two.
    pub align: u64,
    /// The lowest address it may have.
    pub first: u64,
    /// Where all of it, and all that is handed over, must end.
    pub limit: u64,
}
