//! A machine whose firmware's tables are ours: made for a test, with something odd in them.

use std::io::Write;
use std::os::fd::AsRawFd;

use anyhow::{Context, Result};
use odd_tables::{acpi, pvh, tree};

use super::media::Media;
use super::process::memory_file;
use super::spec::Spec;
use crate::kernel::elf::Elf;

/// The tables.
#[derive(Clone, Debug)]
pub enum Tables {
    /// ACPI's, through fw_cfg, in the place of QEMU's: x86, with a machine that has none of its own (`acpi=off`).
    Acpi(acpi::Files),
    /// A device tree, in the place of QEMU's own: aarch64. The kernel's command line is in it.
    Tree(Vec<u8>),
    /// A memory map, in the place of the loader's: x86, by PVH.
    Map(pvh::Odd),
}

/// What QEMU is told about `tables`, and whether the kernel goes to QEMU's own loader all the same.
///
/// # Errors
/// When no file in memory can be made, or the kernel cannot be read.
pub fn media(spec: &Spec<'_>, tables: &Tables) -> Result<Media> {
    let mut media = Media::default();
    match tables {
        Tables::Acpi(files) => {
            media.beside_kernel = true;
            for (name, bytes) in [
                ("etc/acpi/rsdp", &files.rsdp),
                ("etc/acpi/tables", &files.tables),
                ("etc/table-loader", &files.loader),
            ] {
                let path = file(&mut media, bytes)?;
                media
                    .args
                    .extend(["-fw_cfg".into(), format!("name={name},file={path}")]);
            }
        }
        Tables::Tree(blob) => {
            let image = format!("/dev/fd/{}", spec.image().file.as_raw_fd());
            let (stub, blob) = (file(&mut media, &tree::stub())?, file(&mut media, blob)?);
            media.device(&loader(&stub, tree::STUB_AT, ",cpu-num=0"));
            media.device(&loader(&image, tree::IMAGE_AT, ""));
            media.device(&loader(&blob, tree::BLOB_AT, ""));
        }
        Tables::Map(odd) => {
            let program = pvh::elf(odd, pvh_entry(spec)?, &spec.append);
            let program = file(&mut media, &program)?;
            media.args.extend(["-kernel".into(), program]);
            let kernel = spec.kernel.elf.file.as_raw_fd();
            media.device(&format!("loader,file=/dev/fd/{kernel}"));
        }
    }
    Ok(media)
}

/// What puts a file's bytes to an address.
fn loader(path: &str, at: u64, more: &str) -> String {
    format!("loader,file={path},addr={at:#x},force-raw=on{more}")
}

/// A file in memory, by a path that QEMU finds it under.
fn file(media: &mut Media, bytes: &[u8]) -> Result<String> {
    let mut file = memory_file("tables")?;
    file.write_all(bytes).context("no memory for a table")?;
    Ok(media.keep(file))
}

/// Where a loader that knows PVH enters the kernel.
fn pvh_entry(spec: &Spec<'_>) -> Result<u32> {
    let elf = Elf::parse(&spec.kernel.elf.read()?)?;
    let note = elf.sections.iter().find(|section| section.name == ".note.xen");
    let entry = note.and_then(|note| note.bytes.get(16..20)?.try_into().ok());
    Ok(u32::from_le_bytes(entry.context("the kernel has no PVH note")?))
}
