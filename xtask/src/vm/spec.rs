//! What to boot, and QEMU's command line for it.

use std::ffi::OsString;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::count::Counting;
use super::efi::Firmware;
use super::media::Media;
use super::tables::Tables;
use crate::arch::Arch;
use crate::kernel::{Artefact, Kernel};
use crate::needs::Need;

/// By which road the kernel gets into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Boot {
    /// x86: the ELF file by its PVH note, through qboot: the fast road.
    Pvh,
    /// x86: the bzImage through SeaBIOS, as a boot loader would.
    #[value(name = "bzimage")]
    BzImage,
    /// aarch64: the Image, as a boot loader would.
    Image,
    /// From a disk, by firmware with UEFI: the kernel in one `.efi` file with the loader.
    Efi,
    /// x86: the bzImage from a disc, by GRUB under SeaBIOS.
    Grub,
}

impl Boot {
    /// The roads of `arch`, the default first.
    pub const fn of(arch: Arch) -> &'static [Self] {
        if arch.is_x86() {
            &[Self::Pvh, Self::BzImage, Self::Efi, Self::Grub]
        } else {
            &[Self::Image, Self::Efi]
        }
    }

    /// What it takes beside the emulator.
    pub fn need(self, arch: Arch) -> Option<Need> {
        match self {
            Self::Efi => Some(Need::Firmware(arch)),
            Self::Grub => Some(Need::Grub),
            Self::Pvh | Self::BzImage | Self::Image => None,
        }
    }
}

/// A machine with a kernel in it.
#[derive(Debug)]
pub struct Spec<'a> {
    pub kernel: &'a Kernel,
    pub boot: Boot,
    /// QEMU's `-M`.
    pub machine: String,
    /// QEMU's `-cpu`.
    pub cpu: String,
    pub cpus: u32,
    /// How they sit, and how many there may come to be: what follows the number in QEMU's `-smp`, from its comma on.
    pub topology: String,
    /// QEMU's `-m`.
    pub memory: String,
    /// The kernel's command line.
    pub append: String,
    pub initrd: Option<PathBuf>,
    /// A disk to boot from with UEFI, instead of one made of all that.
    pub disk: Option<PathBuf>,
    /// A port for gdb. The machine waits until gdb lets it go.
    pub gdb: Option<u16>,
    /// Count instructions, and make each of them one virtual nanosecond: slow, and the same every time.
    pub counting: Option<Counting>,
    /// Tables in the place of the firmware's.
    pub tables: Option<Tables>,
    /// More of QEMU's arguments, after all others, as they are.
    pub extra: Vec<OsString>,
}

/// File descriptors that QEMU inherits.
#[derive(Clone, Copy, Debug)]
pub struct Fds {
    pub qmp: RawFd,
    pub log: RawFd,
    /// Where a gdb server can be made to speak.
    pub gdb: RawFd,
    /// Where the counting plugin reports to.
    pub counts: RawFd,
    /// Where guest memory is written to, when it is asked for.
    pub memory: RawFd,
    /// The initrd, where QEMU reads it.
    pub initrd: Option<RawFd>,
}

impl<'a> Spec<'a> {
    /// The architecture's usual machine, with 512 MiB.
    pub fn usual(kernel: &'a Kernel, cpus: u32, append: String) -> Self {
        let arch = kernel.flavour.arch;
        Self {
            kernel,
            boot: Boot::of(arch)[0],
            machine: arch.default_machine().to_owned(),
            cpu: arch.default_cpu().to_owned(),
            cpus,
            topology: String::new(),
            memory: "512".into(),
            append,
            initrd: None,
            disk: None,
            gdb: None,
            counting: None,
            tables: None,
            extra: Vec::new(),
        }
    }
}

impl Spec<'_> {
    /// The file that QEMU's `-kernel` gets.
    pub fn image(&self) -> &Artefact {
        if self.boot == Boot::Pvh {
            &self.kernel.elf
        } else {
            &self.kernel.image
        }
    }

    /// QEMU's arguments.
    pub fn args(&self, fds: Fds, media: Option<&Media>) -> Vec<OsString> {
        let mut args = self.machine_args();
        args.extend(Self::device_args(fds));
        args.extend(media.iter().flat_map(|media| media.args.iter().cloned()));
        if media.is_none_or(|media| media.beside_kernel) {
            args.extend(self.direct_args(fds.initrd));
        }
        if let Some(port) = self.gdb {
            self.push(&mut args, "-gdb", format!("tcp:127.0.0.1:{port}"));
        }
        let plugin = self.counting.as_ref().map(|counting| {
            let counts = format!("/dev/fd/{}", fds.counts);
            ["-plugin".into(), counting.argument(&counts)]
        });
        let extra = self.extra.iter().cloned();
        let args = args.into_iter().map(OsString::from);
        args.chain(plugin.into_iter().flatten()).chain(extra).collect()
    }

    /// The kernel, by QEMU's own boot loader.
    fn direct_args(&self, initrd: Option<RawFd>) -> Vec<String> {
        let mut args = Vec::new();
        // By descriptor, so that a build that goes on at the same time cannot swap the file under QEMU, and so that no name
        // has to be quoted, or to be UTF-8.
        self.push(
            &mut args,
            "-kernel",
            format!("/dev/fd/{}", self.image().file.as_raw_fd()),
        );
        self.push(&mut args, "-append", self.append.clone());
        if let Some(initrd) = initrd {
            self.push(&mut args, "-initrd", format!("/dev/fd/{initrd}"));
        }
        args
    }

    fn machine_args(&self) -> Vec<String> {
        let mut args = Vec::new();
        match self.is_sparse() {
            false => self.push(&mut args, "-M", self.machine.clone()),
            true => {
                let ram = format!("memory-backend-ram,id=ram,size={},reserve=off", self.memory);
                self.push(&mut args, "-object", ram);
                self.push(&mut args, "-M", format!("{},memory-backend=ram", self.machine));
            }
        }
        self.push(&mut args, "-cpu", self.cpu.clone());
        self.push(&mut args, "-smp", format!("{}{}", self.cpus, self.topology));
        self.push(&mut args, "-m", self.memory.clone());
        if self.boot == Boot::Pvh {
            self.push(&mut args, "-bios", "qboot.rom".into());
        }
        let in_turns = self.boot == Boot::Efi && Firmware::of(self.kernel.flavour.arch).in_turns;
        let accel = if self.counting.is_some() || in_turns {
            "tcg,thread=single"
        } else {
            "tcg"
        };
        self.push(&mut args, "-accel", accel.into());
        if let Some(counting) = &self.counting {
            args.extend(counting.turns());
            self.push(&mut args, "-icount", "shift=0,sleep=off".into());
            self.push(&mut args, "-rtc", "base=2024-01-01,clock=vm".into());
            self.push(&mut args, "-seed", "1".into());
        }
        args
    }

    /// Whether the machine has more RAM than the host may have, of which it uses little: the host then does not set it aside.
    fn is_sparse(&self) -> bool {
        const GIB: u64 = 8;
        let size = self.memory.strip_suffix(['G', 'g']);
        size.and_then(|gib| gib.parse().ok())
            .is_some_and(|gib: u64| gib >= GIB)
    }

    fn device_args(fds: Fds) -> Vec<String> {
        let words = "-nodefaults -no-user-config -display none -chardev stdio,id=console,signal=off \
            -serial chardev:console -action reboot=shutdown,shutdown=pause,watchdog=none -S -d cpu_reset";
        let mut args: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        args.extend(["-D".into(), format!("/dev/fd/{}", fds.log)]);
        args.extend(["-chardev".into(), format!("socket,id=qmp,fd={}", fds.qmp)]);
        args.extend(["-mon".into(), "chardev=qmp,mode=control".into()]);
        args.extend(["-chardev".into(), format!("socket,id=stub,fd={}", fds.gdb)]);
        args
    }

    fn push(&self, args: &mut Vec<String>, name: &str, value: String) {
        args.extend([name.to_owned(), value]);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;
    use crate::kernel::Flavour;

    const FDS: Fds = Fds {
        qmp: 3,
        log: 4,
        gdb: 5,
        counts: 6,
        memory: 7,
        initrd: Some(8),
    };

    fn kernel() -> Kernel {
        let flavour = Flavour {
            arch: Arch::X86_64,
            smp: true,
            release: false,
            faults: false,
        };
        Kernel::of_files(flavour, "/dev/null", "/dev/null").unwrap()
    }

    #[test]
    fn extra_arguments_come_last_and_as_they_are() {
        let kernel = kernel();
        let odd = OsString::from_vec(b"file=\xff,,x".to_vec());
        let spec = Spec {
            extra: vec!["-drive".into(), odd.clone()],
            ..Spec::usual(&kernel, 1, String::new())
        };
        let args = spec.args(FDS, None);
        assert_eq!(args[args.len() - 2..], ["-drive".into(), odd]);
    }

    #[test]
    fn an_initrd_may_have_any_name_and_cpus_any_topology() {
        let kernel = kernel();
        let spec = Spec {
            initrd: Some(OsString::from_vec(b"/tmp/a,b \xff".to_vec()).into()),
            topology: ",sockets=2,maxcpus=4".into(),
            ..Spec::usual(&kernel, 2, String::new())
        };
        let args = spec.args(FDS, None);
        let follows = |name: &str, value: &str| args.windows(2).any(|pair| pair == [name, value]);
        assert!(follows("-initrd", "/dev/fd/8"), "{args:?}");
        assert!(follows("-smp", "2,sockets=2,maxcpus=4"), "{args:?}");
    }
}
