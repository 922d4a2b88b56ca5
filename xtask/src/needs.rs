//! What a verb needs from the machine: finds it, says what is missing and why, installs it.

pub mod apt;
pub mod crates;
pub mod linker;
pub mod newer;
pub mod rust;
pub mod tool;

use std::io::{self, IsTerminal, Write};

use anyhow::Result;

use crate::arch::Arch;
use crate::exit::Refused;
use crate::out::tell;

/// One thing that must be on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A Rust toolchain that can build `core` for bare metal.
    KernelRust,
    /// LLVM's linker.
    Linker,
    /// The emulator of an architecture, with its firmware.
    Qemu(Arch),
    /// The emulator of an architecture for which there is no kernel, but an example.
    QemuRiscv64,
    /// UEFI firmware for its machines.
    Firmware(Arch),
    /// GRUB for a BIOS, and what makes discs of it.
    Grub,
    /// A debugger that knows all three architectures.
    Gdb,
    /// A browser that works without a window.
    Browser,
    /// What makes a book of pages.
    Mdbook,
    /// The linter, of the toolchain that builds the kernels.
    Clippy,
    /// The formatter, of any toolchain.
    Rustfmt,
}

/// What was found for a need.
#[derive(Clone, Debug)]
pub enum State {
    /// It is there and new enough.
    Found { version: String, place: String },
    /// It is not, for this reason.
    Missing { found: String },
}

/// Whether xtask may install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Install {
    /// As root without a question; through sudo after asking on a terminal.
    Ask,
    /// Through sudo without asking.
    Yes,
    /// Never: print the commands instead.
    Never,
}

impl Need {
    /// Everything, for `doctor`.
    pub const ALL: [Self; 15] = [
        Self::KernelRust,
        Self::Linker,
        Self::Qemu(Arch::X86_64),
        Self::Qemu(Arch::I386),
        Self::Qemu(Arch::Aarch64),
        Self::QemuRiscv64,
        Self::Firmware(Arch::X86_64),
        Self::Firmware(Arch::I386),
        Self::Firmware(Arch::Aarch64),
        Self::Grub,
        Self::Gdb,
        Self::Browser,
        Self::Mdbook,
        Self::Clippy,
        Self::Rustfmt,
    ];

    /// A name people know.
    pub fn name(self) -> String {
        match self {
            Self::KernelRust => "Rust with rust-src".into(),
            Self::Linker => "LLD".into(),
            Self::Qemu(arch) => arch.qemu().into(),
            Self::QemuRiscv64 => tool::QEMU_RISCV64.into(),
            Self::Firmware(arch) => format!("UEFI for {arch}"),
            Self::Grub => "grub-mkrescue".into(),
            Self::Gdb => "gdb-multiarch".into(),
            Self::Browser => "chromium".into(),
            Self::Mdbook => "mdbook".into(),
            Self::Clippy => "clippy".into(),
            Self::Rustfmt => "rustfmt".into(),
        }
    }

    /// What it is for, to end a sentence.
    pub fn why(self) -> String {
        match self {
            Self::KernelRust => "to build the kernel and `core` for bare metal".into(),
            Self::Linker => "to link the kernel".into(),
            Self::Qemu(arch) => format!("to boot {arch} kernels"),
            Self::QemuRiscv64 => "to boot the example of `smp-stop` on riscv64".into(),
            Self::Firmware(arch) => format!("to boot {arch} kernels by UEFI"),
            Self::Grub => "to boot x86 kernels by GRUB".into(),
            Self::Gdb => "to debug a running kernel".into(),
            Self::Browser => "to test the report page, and to draw".into(),
            Self::Mdbook => "to build the book".into(),
            Self::Clippy => "to lint the kernels".into(),
            Self::Rustfmt => "to check the formatting".into(),
        }
    }

    /// The least version that does, as shown in a table.
    pub fn minimum(self) -> String {
        match self {
            Self::KernelRust => format!("{}.{}", rust::MINIMUM.0, rust::MINIMUM.1),
            Self::Linker => "14".into(),
            Self::Qemu(_) | Self::QemuRiscv64 => format!("{}.{}", tool::QEMU_MINIMUM.0, tool::QEMU_MINIMUM.1),
            Self::Mdbook => format!("{}.{}", tool::MDBOOK_MINIMUM.0, tool::MDBOOK_MINIMUM.1),
            Self::Firmware(_) | Self::Grub | Self::Gdb | Self::Browser | Self::Clippy | Self::Rustfmt => {
                "any".into()
            }
        }
    }

    /// Debian's packages that bring it; none where there are none, and it is built.
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Self::KernelRust => &["rustc-web", "cargo-web", "rust-web-src"],
            Self::Linker => &["lld-22"],
            Self::Qemu(arch) if arch.is_x86() => &["qemu-system-x86", "seabios"],
            Self::Qemu(_) => &["qemu-system-arm"],
            Self::QemuRiscv64 => &["qemu-system-misc"],
            Self::Firmware(Arch::X86_64) => &["ovmf"],
            Self::Firmware(Arch::I386) => &["ovmf-ia32"],
            Self::Firmware(Arch::Aarch64) => &["qemu-efi-aarch64"],
            Self::Grub => &["grub-common", "grub-pc-bin", "xorriso"],
            Self::Gdb => &["gdb-multiarch"],
            Self::Browser => &["chromium"],
            Self::Mdbook => &[],
            Self::Clippy => &["rust-web-clippy", "rustc-web", "cargo-web", "rust-web-src"],
            Self::Rustfmt => &["rustfmt-web"],
        }
    }

    /// The component of a rustup toolchain that brings it.
    pub const fn component(self) -> Option<&'static str> {
        match self {
            Self::KernelRust => Some("rust-src"),
            Self::Clippy => Some("clippy"),
            Self::Rustfmt => Some("rustfmt"),
            Self::Linker | Self::Qemu(_) | Self::QemuRiscv64 | Self::Firmware(_) => None,
            Self::Grub | Self::Gdb | Self::Browser | Self::Mdbook => None,
        }
    }

    /// The program on crates.io that it is.
    pub const fn program(self) -> Option<&'static str> {
        match self {
            Self::Mdbook => Some("mdbook"),
            _ => None,
        }
    }

    /// Looks for it.
    pub fn look(self) -> State {
        match self {
            Self::KernelRust => rust::look(),
            Self::Linker => linker::look(),
            Self::Qemu(arch) => tool::qemu(arch.qemu()),
            Self::QemuRiscv64 => tool::qemu(tool::QEMU_RISCV64),
            Self::Firmware(arch) => tool::firmware(arch),
            Self::Grub => tool::grub(),
            Self::Gdb => tool::gdb(),
            Self::Browser => tool::browser(),
            Self::Mdbook => tool::mdbook(),
            Self::Clippy => tool::clippy(),
            Self::Rustfmt => tool::rustfmt(),
        }
    }
}

/// Makes sure that all of `needs` are met, installing what is missing.
///
/// # Errors
/// [`Refused`] with the exit code for a missing tool, when something could not or may not be installed.
pub fn ensure(needs: &[Need], install: Install) -> Result<()> {
    let mut missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    for (need, found) in &missing {
        tell!("needed: {} {} ({found})", need.name(), need.why());
    }
    if install != Install::Never {
        missing
            .iter()
            .filter_map(|(need, _)| need.component())
            .for_each(rust::add_component);
        missing.retain(|(need, _)| matches!(need.look(), State::Missing { .. }));
    }
    let programs: Vec<&str> = missing.iter().filter_map(|(need, _)| need.program()).collect();
    crates::install(&programs, install)?;
    install_packages(&missing, install)?;
    still_missing(needs)
}

fn missing(needs: &[Need]) -> Vec<(Need, String)> {
    needs
        .iter()
        .filter_map(|need| match need.look() {
            State::Found { .. } => None,
            State::Missing { found } => Some((*need, found)),
        })
        .collect()
}

fn install_packages(missing: &[(Need, String)], install: Install) -> Result<()> {
    let mut packages: Vec<&str> = missing
        .iter()
        .flat_map(|(need, _)| need.packages())
        .copied()
        .collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let Some(plan) = apt::plan(&packages) else {
        return Err(Refused::tool_missing(format!(
            "there is no apt-get here: please install what Debian calls {}",
            packages.join(" ")
        )));
    };
    if !may_install(&plan, install) {
        return Err(Refused::tool_missing(format!(
            "to install what is missing, run:\n{}",
            plan.commands()
        )));
    }
    plan.run()
}

fn may_install(plan: &apt::Plan, install: Install) -> bool {
    match install {
        Install::Never => false,
        Install::Yes => true,
        Install::Ask if !plan.needs_sudo() => true,
        Install::Ask => {
            plan.has_sudo()
                && ask(&format!(
                    "run `{}`? [y/N] ",
                    plan.commands().replace('\n', " && ")
                ))
        }
    }
}

fn ask(question: &str) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    let _ = write!(io::stderr(), "{question}").and_then(|()| io::stderr().flush());
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn still_missing(needs: &[Need]) -> Result<()> {
    let left = missing(needs);
    if left.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = left
        .iter()
        .map(|(need, found)| format!("{} ({found})", need.name()))
        .collect();
    Err(Refused::tool_missing(format!(
        "still missing after the installation: {}",
        list.join(", ")
    )))
}
