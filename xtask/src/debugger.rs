//! gdb on a kernel: how it is started, on a machine and on a core, and whether what it shows is so.

pub mod answers;
pub mod expect;
pub mod session;
pub mod trials;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, anyhow};

use crate::arch::Arch;
use crate::needs::{rust, tool};
use crate::paths;

/// What gdb looks at.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A machine whose gdb server listens on this port.
    Port(u16),
    /// A core.
    Core(&'a Path),
}

/// gdb with the symbols of `elf`, the `ss` commands, and Rust's own printers where the toolchain has them. With commands in
/// `batch` it runs them and ends; else it is for a person.
///
/// # Errors
/// When there is no gdb.
pub fn command(arch: Arch, elf: &Path, target: Target<'_>, batch: &[String]) -> Result<Command> {
    let gdb = tool::gdb_path().ok_or_else(|| anyhow!("no gdb"))?;
    let mut command = Command::new(gdb);
    command.args(["-q", "-nx"]).arg(elf);
    let mut lines = vec![
        // A guest that ends must not leave gdb asking.
        "set confirm off".to_owned(),
        "set pagination off".to_owned(),
        "python import sys; sys.dont_write_bytecode = True".to_owned(),
        format!("set architecture {}", arch.gdb_name()),
    ];
    lines.push(format!(
        "source {}",
        paths::root().join("xtask/gdb/ss.py").display()
    ));
    let printers = rust::kernel().and_then(|rust| rust.gdb_printers());
    lines.extend(printers.map(|folder| format!("ss printers {}", folder.display())));
    match target {
        Target::Port(port) => lines.push(format!("target remote 127.0.0.1:{port}")),
        Target::Core(path) => lines.push(format!("core-file {}", path.display())),
    }
    for line in lines.iter().chain(batch) {
        command.args(["-ex", line]);
    }
    if !batch.is_empty() {
        command.arg("-batch");
    }
    Ok(command)
}
