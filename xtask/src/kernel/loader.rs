//! The UEFI loader: the program that carries a kernel to machines with that firmware.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Artefact;
use crate::arch::Arch;
use crate::paths;

/// Builds the loader for `arch`, always optimised: it has no flavours, and what it is to show is the kernel.
///
/// # Errors
/// When it does not build.
pub fn build(arch: Arch) -> Result<Artefact> {
    // One directory of cargo's for all that is built for bare metal.
    let _lock = super::lock()?;
    let mut command = cargo(arch, "build", &paths::kernel_target())?;
    let built = super::run_cargo(&mut command).with_context(|| format!("no UEFI loader for {arch}"))?;
    let bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let dir = paths::out().join(format!("{arch}-efi"));
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    super::replace(&dir.join("loader.efi"), &bytes)
}

/// The cargo command line that builds or checks it.
///
/// # Errors
/// When there is no toolchain.
pub fn cargo(arch: Arch, verb: &str, target_dir: &Path) -> Result<Command> {
    let target = arch.uefi_target();
    let mut command = super::bare_cargo(verb, "efi-loader", target, target_dir)?;
    command.args(["--features", "app", "--bin", "standstill-efi", "--release"]);
    Ok(command)
}
