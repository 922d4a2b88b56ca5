//! Cargo for what runs on the host: the one that runs xtask, so that what it has built need not be built again.

use std::process::Command;

use anyhow::{Result, anyhow};

use crate::needs::rust;
use crate::paths;

/// A cargo command at the root of the workspace.
///
/// # Errors
/// When there is no Rust at all.
pub fn cargo() -> Result<Command> {
    let rust = rust::active().ok_or_else(|| anyhow!("no rustc that runs"))?;
    let mut command = rust.command("cargo");
    command
        .current_dir(paths::root())
        .env("CARGO_TARGET_DIR", paths::target());
    Ok(command)
}
