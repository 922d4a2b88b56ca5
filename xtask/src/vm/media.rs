//! What a machine boots from that is not QEMU's `-kernel`: files of one run alone, which leave nothing behind.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use anyhow::{Context, Result};

use super::process::memory_file;
use super::spec::{Boot, Spec};
use super::{efi, grub, tables};
use crate::disk;

/// The files, and what QEMU is told about them.
#[derive(Default)]
pub struct Media {
    files: Vec<File>,
    pub args: Vec<String>,
    /// Whether the kernel goes to QEMU's own loader all the same.
    pub beside_kernel: bool,
}

impl Media {
    /// For a machine that boots from something; nothing for any other.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn of(spec: &Spec<'_>) -> Result<Option<Self>> {
        if let Some(tables) = &spec.tables {
            return tables::media(spec, tables).map(Some);
        }
        match spec.boot {
            Boot::Efi => efi::media(spec).map(Some),
            Boot::Grub => grub::media(spec).map(Some),
            Boot::Pvh | Boot::BzImage | Boot::Image => Ok(None),
        }
    }

    /// Keeps `file` for QEMU, which finds it under the path that is returned.
    pub fn keep(&mut self, file: File) -> String {
        let path = format!("/dev/fd/{}", file.as_raw_fd());
        self.files.push(file);
        path
    }

    /// Adds a drive with `file` in it. `options` end with what QEMU calls the rest of it.
    pub fn drive(&mut self, options: &str, file: File) {
        let drive = format!("{options},format=raw,file={}", self.keep(file));
        self.args.extend(["-drive".to_owned(), drive]);
    }

    /// Adds a device.
    pub fn device(&mut self, device: &str) {
        self.args.extend(["-device".to_owned(), device.to_owned()]);
    }

    /// What QEMU must inherit.
    pub fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.files.iter().map(AsRawFd::as_raw_fd)
    }
}

/// A copy in memory.
///
/// # Errors
/// When `path` cannot be read.
pub fn copy(path: &Path) -> Result<File> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = memory_file("copy")?;
    file.set_len(bytes.len() as u64)?;
    disk::write_sparse(&file, 0, &bytes)?;
    Ok(file)
}
