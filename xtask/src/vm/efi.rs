//! UEFI: the firmware of a machine, and the disk it boots from. Both are of one run alone, and leave no file behind.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use anyhow::{Context, Result};

use super::spec::{Boot, Spec};
use crate::arch::Arch;
use crate::disk;
use crate::kernel::uki;

/// The firmware of an architecture: what is executed, and the variables as they are on a new machine.
pub struct Firmware {
    pub code: &'static str,
    variables: &'static str,
}

impl Firmware {
    /// Where Debian puts it.
    pub const fn of(arch: Arch) -> Self {
        let (code, variables) = match arch {
            Arch::X86_64 => (
                "/usr/share/OVMF/OVMF_CODE_4M.fd",
                "/usr/share/OVMF/OVMF_VARS_4M.fd",
            ),
            // There is no other build of it. Without SMM it is as insecure as the others.
            Arch::I386 => (
                "/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd",
                "/usr/share/OVMF/OVMF32_VARS_4M.fd",
            ),
            Arch::Aarch64 => ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
        };
        Self { code, variables }
    }

    /// The first of its files that is not there.
    pub fn missing(&self) -> Option<&'static str> {
        [self.code, self.variables]
            .into_iter()
            .find(|file| !Path::new(file).is_file())
    }
}

/// What firmware of one run writes to and boots from.
pub struct Media {
    variables: File,
    disk: File,
}

impl Media {
    /// For a machine that boots by UEFI; nothing for any other.
    ///
    /// # Errors
    /// When the loader does not build, or a file cannot be read.
    pub fn of(spec: &Spec<'_>) -> Result<Option<Self>> {
        if spec.boot != Boot::Efi {
            return Ok(None);
        }
        let firmware = Firmware::of(spec.kernel.flavour.arch);
        Ok(Some(Self {
            variables: copy(Path::new(firmware.variables))?,
            disk: match &spec.disk {
                Some(disk) => copy(disk)?,
                None => compose(spec)?,
            },
        }))
    }

    /// What QEMU must inherit.
    pub fn fds(&self) -> [RawFd; 2] {
        [self.variables.as_raw_fd(), self.disk.as_raw_fd()]
    }

    /// QEMU's arguments.
    pub fn args(&self, arch: Arch) -> Vec<String> {
        let [variables, disk] = self.fds();
        let code = Firmware::of(arch).code;
        [
            "-drive".into(),
            format!("if=pflash,format=raw,unit=0,readonly=on,file={code}"),
            "-drive".into(),
            format!("if=pflash,format=raw,unit=1,file=/dev/fd/{variables}"),
            "-drive".into(),
            format!("if=none,id=disk,format=raw,file=/dev/fd/{disk}"),
            "-device".into(),
            "virtio-blk-pci,drive=disk,bootindex=0".into(),
        ]
        .into()
    }
}

/// A disk with the kernel on it, its command line and its RAM disk.
fn compose(spec: &Spec<'_>) -> Result<File> {
    let initrd = spec
        .initrd
        .as_deref()
        .map(|path| fs::read(path).with_context(|| format!("cannot read {}", path.display())))
        .transpose()?;
    let program = uki::compose(
        &spec.kernel.loader()?.read()?,
        &uki::parts(
            &spec.kernel.image.read()?,
            initrd.as_deref(),
            Some(spec.append.as_bytes()),
        ),
    )?;
    let file = super::process::memory_file("disk")?;
    disk::write(&file, spec.kernel.flavour.arch, &program)?;
    Ok(file)
}

/// A copy in memory.
fn copy(path: &Path) -> Result<File> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = super::process::memory_file("copy")?;
    file.set_len(bytes.len() as u64)?;
    disk::write_sparse(&file, 0, &bytes)?;
    Ok(file)
}
