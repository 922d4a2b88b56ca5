//! UEFI: the firmware of a machine, and the disk it boots from.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};

use super::media::{Media, copy};
use super::process::memory_file;
use super::spec::Spec;
use crate::arch::Arch;
use crate::disk;
use crate::kernel::uki;

/// The firmware of an architecture: what is executed, and the variables as they are on a new machine.
pub struct Firmware {
    pub code: &'static str,
    variables: &'static str,
    /// Whether the machine's CPUs must take turns on one thread of the host.
    pub in_turns: bool,
}

impl Firmware {
    /// Where Debian puts it.
    pub const fn of(arch: Arch) -> Self {
        let (code, variables) = match arch {
            Arch::X86_64 => (
                "/usr/share/OVMF/OVMF_CODE_4M.fd",
                "/usr/share/OVMF/OVMF_VARS_4M.fd",
            ),
            // There is no other build of it. No key is enrolled, so secure boot is off.
            Arch::I386 => (
                "/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd",
                "/usr/share/OVMF/OVMF32_VARS_4M.fd",
            ),
            Arch::Aarch64 => ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
        };
        Self {
            code,
            variables,
            // It has the variables in SMM, and for each call all CPUs come there and spin: with four of them on two cores a
            // boot takes a minute, one after the other a few seconds.
            in_turns: matches!(arch, Arch::I386),
        }
    }

    /// The first of its files that is not there.
    pub fn missing(&self) -> Option<&'static str> {
        [self.code, self.variables]
            .into_iter()
            .find(|file| !Path::new(file).is_file())
    }
}

/// Firmware, variables of its own, and a disk.
///
/// # Errors
/// When the loader does not build, or a file cannot be read.
pub fn media(spec: &Spec<'_>) -> Result<Media> {
    let firmware = Firmware::of(spec.kernel.flavour.arch);
    let mut media = Media::default();
    let code = format!("if=pflash,format=raw,unit=0,readonly=on,file={}", firmware.code);
    media.args.extend(["-drive".to_owned(), code]);
    media.drive("if=pflash,unit=1", copy(Path::new(firmware.variables))?);
    let disk = match &spec.disk {
        Some(disk) => copy(disk)?,
        None => compose(spec)?,
    };
    media.drive("if=none,id=disk", disk);
    media.device("virtio-blk-pci,drive=disk,bootindex=0");
    Ok(media)
}

/// A disk with the kernel on it, its command line and its RAM disk.
fn compose(spec: &Spec<'_>) -> Result<File> {
    let initrd = spec
        .initrd
        .as_deref()
        .map(|path| fs::read(path).with_context(|| format!("cannot read {}", path.display())))
        .transpose()?;
    let kernel = spec.kernel.image.read()?;
    let parts = uki::parts(&kernel, initrd.as_deref(), Some(spec.append.as_bytes()));
    let program = uki::compose(&spec.kernel.loader()?.read()?, &parts)?;
    let file = memory_file("disk")?;
    disk::write(&file, spec.kernel.flavour.arch, &program)?;
    Ok(file)
}
