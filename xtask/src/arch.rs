//! The three architectures: what differs between them when one builds and boots.

use clap::ValueEnum;
use serde::Serialize;

/// An architecture the kernel runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arch {
    /// 64-bit x86.
    #[value(name = "x86_64")]
    #[serde(rename = "x86_64")]
    X86_64,
    /// 32-bit x86, from the Pentium on.
    I386,
    /// 64-bit Arm.
    Aarch64,
}

impl Arch {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 3] = [Self::X86_64, Self::I386, Self::Aarch64];

    /// As in `--arch`, in the kernel's banner and in file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::I386 => "i386",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The package whose binary is the kernel.
    pub const fn package(self) -> &'static str {
        match self {
            Self::X86_64 => "standstill-x86_64",
            Self::I386 => "standstill-i386",
            Self::Aarch64 => "standstill-aarch64",
        }
    }

    /// What `cargo build --target` takes, relative to the root.
    pub const fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "targets/x86_64-standstill.json",
            Self::I386 => "targets/i386-standstill.json",
            Self::Aarch64 => "aarch64-unknown-none-softfloat",
        }
    }

    /// The same for a program that UEFI starts.
    pub const fn uefi_target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-uefi",
            Self::I386 => "i686-unknown-uefi",
            Self::Aarch64 => "aarch64-unknown-uefi",
        }
    }

    /// The file that UEFI starts from a disk nobody told it about: UEFI 2.10, table 3.2.
    pub const fn boot_file(self) -> &'static str {
        match self {
            Self::X86_64 => "BOOTX64.EFI",
            Self::I386 => "BOOTIA32.EFI",
            Self::Aarch64 => "BOOTAA64.EFI",
        }
    }

    /// The emulator.
    pub const fn qemu(self) -> &'static str {
        match self {
            Self::X86_64 => "qemu-system-x86_64",
            Self::I386 => "qemu-system-i386",
            Self::Aarch64 => "qemu-system-aarch64",
        }
    }

    /// QEMU's `-M` when nobody chose one.
    pub const fn default_machine(self) -> &'static str {
        match self {
            Self::X86_64 | Self::I386 => "q35",
            Self::Aarch64 => "virt,gic-version=3",
        }
    }

    /// QEMU's `-cpu` when nobody chose one: on x86 the model with all the protections that TCG knows.
    pub const fn default_cpu(self) -> &'static str {
        match self {
            Self::X86_64 | Self::I386 => "max",
            Self::Aarch64 => "cortex-a57",
        }
    }

    /// How gdb calls it.
    pub const fn gdb_name(self) -> &'static str {
        match self {
            Self::X86_64 => "i386:x86-64",
            Self::I386 => "i386",
            Self::Aarch64 => "aarch64",
        }
    }

    /// Whether the images are those of the Linux x86 boot protocol.
    pub const fn is_x86(self) -> bool {
        !matches!(self, Self::Aarch64)
    }
}

impl std::fmt::Display for Arch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
