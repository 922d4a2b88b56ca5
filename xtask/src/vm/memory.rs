//! The guest's memory, as one of its CPUs sees it.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::qmp::Qmp;

/// Reads `len` bytes from virtual address `address`, through the page tables that CPU `cpu` has. The machine should stand.
///
/// # Errors
/// When that is not mapped, or QEMU is gone.
pub fn read(qmp: &mut Qmp, cpu: u32, address: u64, len: usize) -> Result<Vec<u8>> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::memfd_create("memory", flags).context("no memory file")?);
    // QEMU writes to a file by name; this one has one for as long as it is open, and for nobody but this user.
    let name = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let arguments = json!({
        // QEMU takes an address as a signed number.
        "val": address as i64,
        "size": len,
        "filename": name,
        "cpu-index": cpu,
    });
    qmp.command("memsave", &arguments)?;
    let mut bytes = Vec::with_capacity(len);
    file.read_to_end(&mut bytes)?;
    ensure!(bytes.len() == len, "only a part can be read at {address:#x}");
    Ok(bytes)
}
