//! `cargo xtask image`: what one carries to a machine with UEFI.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::build::Choice;
use super::machine::readable;
use crate::disk;
use crate::exit::{Exit, Refused};
use crate::kernel::{self, uki};
use crate::needs::{self, Install, Need};
use crate::out::say;
use crate::{file, paths};

/// What every kernel of ours takes of a command line, bytes.
const COMMAND_LINE: usize = 2047;

/// Makes a disk image that machines with UEFI boot: GPT, one FAT partition, and on it one program with the kernel in it.
///
/// Written to a stick or a disk as it is, it is started without being asked for. With a name that ends in `.efi` the
/// program alone is made, for a partition that is there already: by hand, or as GRUB's `chainloader`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask image --arch x86_64 --out standstill.img
  cargo xtask qemu --arch x86_64 --image standstill.img
  cargo xtask image --arch i386 --up --append 'panic=10' --initrd FILE --out standstill.efi

Without --append the program takes its command line from whoever starts it: the boot manager, or UEFI's shell.")]
pub struct Image {
    #[command(flatten)]
    choice: Choice,
    /// The kernel's command line. It is fixed then.
    #[arg(long, value_name = "STR", allow_hyphen_values = true)]
    append: Option<String>,
    /// A file the loader hands over.
    #[arg(long, value_name = "FILE")]
    initrd: Option<PathBuf>,
    /// The image to make [default: standstill.img beside the kernel's files]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Image {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing, does not build, or cannot be written.
    pub fn run(self, install: Install) -> Result<Exit> {
        let out = match &self.out {
            Some(out) => out.clone(),
            None => self.choice.flavour().dir().join("standstill.img"),
        };
        self.check()?;
        let initrd = self
            .initrd
            .as_deref()
            .map(fs::read)
            .transpose()
            .context("cannot read the initrd")?;
        needs::ensure(&[Need::KernelRust, Need::Linker], install)?;
        let kernel = kernel::build(self.choice.flavour())?;
        let (image, cmdline) = (kernel.image.read()?, self.append.as_deref().map(str::as_bytes));
        let parts = uki::parts(&image, initrd.as_deref(), cmdline);
        let program = uki::compose(&kernel.loader()?.read()?, &parts)?;
        file::write(&out, |file| {
            if is_program(&out) {
                disk::write_sparse(file, 0, &program)?;
                return Ok(file.set_len(program.len() as u64)?);
            }
            disk::write(file, self.choice.arch, &program)
        })?;
        say!("{}", paths::shown(&out));
        Ok(Exit::Pass)
    }

    /// Refuses what no build can change.
    fn check(&self) -> Result<()> {
        if let Some(initrd) = &self.initrd {
            readable("--initrd", initrd)?;
        }
        let length = self.append.as_ref().map_or(0, String::len);
        if length > COMMAND_LINE {
            return Err(Refused::usage(format!(
                "--append: {length} bytes, and the kernel takes {COMMAND_LINE}"
            )));
        }
        file::check_any("--out", self.out.as_deref())
    }
}

fn is_program(out: &Path) -> bool {
    out.extension().is_some_and(|end| end.eq_ignore_ascii_case("efi"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_decides_what_is_made() {
        assert!(is_program(Path::new("/tmp/Standstill.EFI")));
        assert!(!is_program(Path::new("standstill.img")) && !is_program(Path::new("efi")));
    }
}
