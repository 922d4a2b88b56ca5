//! `cargo xtask build`: a kernel and its images.

use anyhow::Result;
use clap::Args;

use crate::arch::Arch;
use crate::exit::Exit;
use crate::kernel::elf::Elf;
use crate::kernel::{self, Flavour, Kernel, symbols};
use crate::needs::{self, Install, Need};
use crate::out::say;
use crate::paths;

/// Which kernel: the options that every verb shares.
#[derive(Args, Clone, Copy, Debug)]
pub struct Choice {
    /// The architecture.
    #[arg(long)]
    pub arch: Arch,
    /// A kernel built for one CPU. It boots on machines with more and leaves the others alone.
    #[arg(long)]
    pub up: bool,
    /// Optimised.
    #[arg(long)]
    pub release: bool,
    /// With fault points, and `inject=` on the command line to stage faults there.
    #[arg(long)]
    pub faults: bool,
}

impl Choice {
    /// The kernel that was chosen.
    pub const fn flavour(self) -> Flavour {
        Flavour {
            arch: self.arch,
            smp: !self.up,
            release: self.release,
            faults: self.faults,
        }
    }
}

/// Builds a kernel and composes its images.
///
/// They lie in standstill/ in cargo's target directory. Where several checkouts share one by CARGO_TARGET_DIR, each has a folder of
/// its own in it, because cargo would take one's files for the other's.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask build --arch x86_64                 standstill.elf and bzImage, for many CPUs
  cargo xtask build --arch aarch64 --up --release standstill.elf and Image, for one CPU, optimised
  cargo xtask build --arch i386 --sizes           both builds, and what the second CPU costs")]
pub struct Build {
    #[command(flatten)]
    choice: Choice,
    /// Build the kernel for one CPU and the one for many, check that the former has nothing of the latter, and print
    /// their sizes.
    #[arg(long)]
    sizes: bool,
}

impl Build {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing or does not build.
    pub fn run(self, install: Install) -> Result<Exit> {
        needs::ensure(&[Need::KernelRust, Need::Linker], install)?;
        if self.sizes {
            return sizes(self.choice.flavour());
        }
        let kernel = kernel::build(self.choice.flavour())?;
        say!(
            "{}\n{}",
            paths::shown(&kernel.elf.path),
            paths::shown(&kernel.image.path)
        );
        Ok(Exit::Pass)
    }
}

fn sizes(flavour: Flavour) -> Result<Exit> {
    let report = compare(flavour.arch, flavour.release)?;
    say!("{report}");
    Ok(if report.is_clean() {
        Exit::Pass
    } else {
        Exit::Failed
    })
}

/// The two builds of one architecture, side by side.
pub struct Comparison {
    arch: Arch,
    /// Size of the image in bytes and what is in memory, UP and SMP.
    image: [u64; 2],
    memory: [u64; 2],
    /// Symbols of the SMP build in the UP kernel: there must be none.
    pub stray: Vec<String>,
    /// The same in the SMP kernel: the control, there must be some.
    pub control: usize,
    /// Symbols in either that stage faults: there must be none.
    pub faults: Vec<String>,
}

impl Comparison {
    /// Whether the UP kernel is free of SMP code, by a check that finds such code where it is.
    pub fn is_clean(&self) -> bool {
        self.stray.is_empty() && self.control > 0 && self.faults.is_empty()
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ([up, smp], [up_memory, smp_memory]) = (self.image, self.memory);
        writeln!(
            f,
            "{}: image UP {up}, SMP {smp} bytes (+{})",
            self.arch,
            smp.saturating_sub(up)
        )?;
        writeln!(
            f,
            "{}: in memory UP {up_memory}, SMP {smp_memory} bytes (+{})",
            self.arch,
            smp_memory.saturating_sub(up_memory)
        )?;
        write!(
            f,
            "{}: SMP symbols UP {}, SMP {}",
            self.arch,
            self.stray.len(),
            self.control
        )?;
        self.stray
            .iter()
            .try_for_each(|name| write!(f, "\n  must not be in a UP kernel: {name}"))?;
        self.faults
            .iter()
            .try_for_each(|name| write!(f, "\n  must not be in a kernel without faults: {name}"))?;
        if self.control == 0 {
            write!(
                f,
                "\n  the SMP kernel has none either: this check cannot find any"
            )?;
        }
        Ok(())
    }
}

/// Builds both kernels of `arch` and compares them.
///
/// # Errors
/// When one does not build.
pub fn compare(arch: Arch, release: bool) -> Result<Comparison> {
    let build = |smp| {
        kernel::build(Flavour {
            arch,
            smp,
            release,
            faults: false,
        })
    };
    let (up, smp) = (build(false)?, build(true)?);
    let elf = |kernel: &Kernel| Elf::parse(&kernel.elf.read()?);
    let (up_elf, smp_elf) = (elf(&up)?, elf(&smp)?);
    let memory = |elf: &Elf| elf.loads.iter().map(|load| load.memory).sum();
    let image = |kernel: &Kernel| kernel.image.file.metadata().map(|meta| meta.len());
    Ok(Comparison {
        arch,
        image: [image(&up)?, image(&smp)?],
        memory: [memory(&up_elf), memory(&smp_elf)],
        stray: symbols::smp_only(&up_elf),
        control: symbols::smp_only(&smp_elf).len(),
        faults: [&up_elf, &smp_elf]
            .into_iter()
            .flat_map(symbols::faults)
            .collect(),
    })
}
