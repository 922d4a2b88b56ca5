//! The machine that the verbs which boot one share: what QEMU is told.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::arch::Arch;
use crate::exit::Refused;
use crate::kernel::Kernel;
use crate::needs::Need;
use crate::vm::smp::Smp;
use crate::vm::spec::{Boot, Spec};
use crate::vm::{machine, probe, ram};

/// The machine: what QEMU is told.
#[derive(Args, Clone, Debug)]
pub struct MachineArgs {
    /// How many CPUs the machine has, and, as QEMU's -smp has it, how they sit: 6,sockets=2,cores=3,maxcpus=12.
    #[arg(long, value_name = "N[,KEY=N...]", default_value_t = Smp::of(4))]
    pub smp: Smp,
    /// More of the kernel's command line. `panic=-1` stands before it.
    #[arg(long, value_name = "STR", default_value = "", allow_hyphen_values = true)]
    pub append: String,
    /// A file the boot loader hands over.
    #[arg(long, value_name = "FILE")]
    pub initrd: Option<PathBuf>,
    /// How much RAM: mebibytes, or with a suffix as in 1G.
    #[arg(long, value_name = "M", default_value = "256", value_parser = ram::parse)]
    pub memory: String,
    /// QEMU's machine, or only options for the default one, as in gic-version=2 [default: q35; virt,gic-version=3]
    #[arg(long, value_name = "M")]
    pub machine: Option<String>,
    /// QEMU's CPU model [default: max; cortex-a57]
    #[arg(long, value_name = "C")]
    pub cpu: Option<String>,
    /// The road into memory [default: pvh on x86, image on aarch64]
    #[arg(long, value_name = "ROAD")]
    pub boot: Option<Boot>,
    /// By UEFI, from a disk with kernel, command line and initrd on it: the same as --boot efi.
    #[arg(long, conflicts_with = "boot")]
    pub efi: bool,
    /// By UEFI, from this disk, which `cargo xtask image` made. Command line and initrd are in it. What the machine writes to
    /// it is lost.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["boot", "append", "initrd"])]
    pub image: Option<PathBuf>,
    /// More of QEMU's arguments, as they are: devices, drives, options of its own.
    #[arg(last = true, value_name = "QEMU")]
    pub extra: Vec<OsString>,
}

impl MachineArgs {
    /// The machine with `kernel` in it.
    ///
    /// # Errors
    /// [`Refused`] when there is no such machine.
    pub fn spec<'a>(&self, kernel: &'a Kernel) -> Result<Spec<'a>> {
        let arch = kernel.flavour.arch;
        let spec = Spec {
            kernel,
            boot: self.road(arch),
            machine: machine::merge(arch, self.machine.as_deref()),
            cpu: self.cpu.clone().unwrap_or_else(|| arch.default_cpu().to_owned()),
            cpus: self.smp.cpus,
            topology: self.smp.topology.clone(),
            memory: self.memory.clone(),
            append: format!("panic=-1 {}", self.append).trim_end().to_owned(),
            initrd: self.file("--initrd", &self.initrd)?,
            disk: self.file("--image", &self.image)?,
            gdb: None,
            counting: None,
            tables: None,
            extra: self.extra.clone(),
        };
        Ok(spec)
    }

    /// Refuses what no build can change.
    ///
    /// # Errors
    /// [`Refused`], naming the choices.
    pub fn check(&self, arch: Arch) -> Result<()> {
        let machine = machine::merge(arch, self.machine.as_deref());
        let roads = Boot::of(arch);
        if let Some(boot) = self.boot.filter(|boot| !roads.contains(boot)) {
            return Err(Refused::usage(
                format!("--boot {boot:?}: {arch} has {roads:?}").to_lowercase(),
            ));
        }
        if matches!(self.road(arch), Boot::Efi | Boot::Grub) && machine.starts_with("microvm") {
            return Err(Refused::usage(format!(
                "{machine} has neither UEFI nor a drive: only --boot pvh and bzimage"
            )));
        }
        self.file("--initrd", &self.initrd)?;
        match &self.image {
            Some(image) => bootable(&readable("--image", image)?),
            None => Ok(()),
        }
    }

    fn road(&self, arch: Arch) -> Boot {
        match self.boot {
            _ if self.efi || self.image.is_some() => Boot::Efi,
            Some(boot) => boot,
            None => Boot::of(arch)[0],
        }
    }

    /// What the machine takes.
    pub fn needs(&self, arch: Arch) -> Vec<Need> {
        [Need::KernelRust, Need::Linker, Need::Qemu(arch)]
            .into_iter()
            .chain(self.road(arch).need(arch))
            .collect()
    }

    fn file(&self, option: &str, path: &Option<PathBuf>) -> Result<Option<PathBuf>> {
        path.as_deref().map(|path| readable(option, path)).transpose()
    }

    /// Refuses what QEMU does not know, if it was asked for anything of its own.
    ///
    /// # Errors
    /// [`Refused`], naming the choices.
    pub fn probe(&self, arch: Arch) -> Result<()> {
        let machine = machine::merge(arch, self.machine.as_deref());
        let cpu = self.cpu.as_deref().unwrap_or(arch.default_cpu());
        self.check_limit(arch, &machine)?;
        probe::check(probe::Machine {
            arch,
            machine: &machine,
            cpu,
            smp: &self.smp,
            memory: &self.memory,
            extra: &self.extra,
        })
    }

    /// Refuses more CPUs than the machine takes. Up to a few QEMU need not be asked: it refuses by itself.
    fn check_limit(&self, arch: Arch, machine: &str) -> Result<()> {
        const FEW: u32 = 8;
        let most = self.smp.most();
        let limit = match most > FEW {
            true => machine::limit(arch, machine)?,
            false => None,
        };
        match limit.filter(|limit| most > limit.cpus) {
            None => Ok(()),
            Some(limit) => Err(Refused::usage(format!(
                "--smp {}: {machine} takes 1 to {} CPUs{}",
                self.smp, limit.cpus, limit.why
            ))),
        }
    }
}

/// `path`, if there is a file that can be read.
///
/// # Errors
/// [`Refused`], naming the option it was given by.
pub fn readable(option: &str, path: &Path) -> Result<PathBuf> {
    let refuse = |reason: &dyn std::fmt::Display| {
        Refused::usage(format!(
            "{option} {}: {reason}; it takes a file that can be read",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| refuse(&error))?;
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(refuse(&"not a file"));
    }
    Ok(path.to_owned())
}

/// Refuses an image that no firmware takes for a disk to boot from: it ends its first sector with the mark of a boot record, as a
/// disk with GPT does, too (UEFI 2.10, 5.2.3).
fn bootable(image: &Path) -> Result<()> {
    let mut mark = [0; 2];
    let read = File::open(image).and_then(|file| file.read_exact_at(&mut mark, 510));
    match read.is_ok() && mark == [0x55, 0xaa] {
        true => Ok(()),
        false => Err(Refused::usage(format!(
            "--image {}: it has no boot record, so it is no disk; `cargo xtask image` makes one",
            image.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use clap::Parser;

    use super::*;
    use crate::disk;
    use crate::exit::{self, Exit};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        machine: MachineArgs,
    }

    fn parsed(words: &[&str]) -> Result<MachineArgs, String> {
        let line = Line::try_parse_from(["qemu"].iter().chain(words));
        line.map(|line| line.machine).map_err(|error| error.to_string())
    }

    #[test]
    fn what_follows_two_dashes_is_qemus() {
        let odd = OsString::from_vec(b"file=\xff".to_vec());
        let words: [OsString; 6] = ["qemu", "--smp", "2,cores=2", "--", "-smbios", "file="].map(Into::into);
        let words = words.into_iter().take(5).chain([odd.clone()]);
        let machine = Line::try_parse_from(words).unwrap().machine;
        assert_eq!(machine.extra, ["-smbios".into(), odd]);
        assert_eq!(machine.smp.to_string(), "2,cores=2");
        assert!(parsed(&["-device", "pci-testdev"]).is_err());
        assert!(parsed(&[]).unwrap().extra.is_empty());
    }

    #[test]
    fn amounts_that_make_no_sense_are_usage_errors() {
        for words in [
            ["--memory", "0"],
            ["--memory", "x"],
            ["--smp", "0"],
            ["--smp", "2,core=2"],
        ] {
            let error = parsed(&words).unwrap_err();
            assert!(error.contains("invalid value"), "{error}");
        }
    }

    #[test]
    fn an_image_that_is_no_disk_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let image = |name: &str| Some(dir.path().join(name));
        let made = disk::write(
            &File::create_new(image("good").unwrap()).unwrap(),
            Arch::X86_64,
            b"MZ",
        );
        made.unwrap();
        std::fs::write(image("text").unwrap(), "x".repeat(4096)).unwrap();
        std::fs::write(image("empty").unwrap(), "").unwrap();
        let check = |name: &str| {
            let mut machine = parsed(&[]).unwrap();
            machine.image = image(name);
            machine.check(Arch::X86_64)
        };
        check("good").unwrap();
        for name in ["text", "empty", "missing", "."] {
            let error = check(name).unwrap_err();
            assert_eq!(exit::of_error(&error), Exit::Usage, "{name}");
        }
    }
}
