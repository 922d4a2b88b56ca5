//! `standstill-efi`: the program that firmware starts. It reads what its own file carries, puts the kernel where it wants to
//! be, leaves boot services, and enters it.
//!
//! Whatever is wrong is said on the firmware's console, and firmware gets the turn back: it may know something else to boot.

#![no_std]
#![no_main]

extern crate alloc;

#[cfg_attr(any(target_arch = "x86_64", target_arch = "x86"), path = "app/x86.rs")]
#[cfg_attr(target_arch = "aarch64", path = "app/aarch64.rs")]
mod arch;
#[path = "app/firmware.rs"]
mod firmware;

use alloc::string::String;
use core::convert::Infallible;

use efi_loader::parts::{self, Parts};
use efi_loader::{Error, cmdline};
use uefi::{Status, entry, println};

#[entry]
fn main() -> Status {
    let Err(error) = boot();
    println!("standstill-efi: {error}.");
    Status::LOAD_ERROR
}

fn boot() -> Result<Infallible, Error> {
    let own = firmware::own_image()?;
    let parts = parts::find(own.memory)?;
    arch::boot(&parts, &own.options)
}

/// What the file says wins: an image that was made with a command line boots the same however it is started, and boot
/// managers are known to pass things that are none.
fn command_line(parts: &Parts<'_>, options: &[u8], most: usize) -> Result<String, Error> {
    match parts.cmdline {
        Some(section) => cmdline::of_section(section, most),
        None => cmdline::of_options(options, most),
    }
}
