//! `cargo xtask bench`: figures.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::arch::Arch;
use crate::bench::boot::{self, Counted};
use crate::bench::builds::{self, Builds};
use crate::bench::report::{Figures, Images};
use crate::bench::stop::{self, Case, Load};
use crate::bench::{counter, figures};
use crate::exit::{Exit, Refused};
use crate::kernel::{self, Flavour, Kernel};
use crate::needs::{self, Install, Need, State};
use crate::out::say;
use crate::report::Out;
use crate::{file, out};

/// Measures.
#[derive(Args, Debug)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Boot(Boot),
    Stop(Stop),
}

/// Counts the instructions of a boot with 1 to 512 CPUs, and compares them with Linux.
///
/// Optimised kernels, one instruction to a virtual nanosecond. Also: sizes of the images, memory in use, build times.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask bench boot                              all, as tables
  cargo xtask bench boot --arch aarch64 --no-builds   one architecture, without build times
  cargo xtask bench boot --out docs/performance.md    renew the document")]
struct Boot {
    /// Only this architecture.
    #[arg(long)]
    arch: Option<Arch>,
    /// Leave out how long the kernels take to build.
    #[arg(long)]
    no_builds: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Write the tables into this file as well. Without it nothing is written.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    report: Out,
    /// How many boots are counted at once: it does not change the counts [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
}

impl Bench {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing, does not build, or a kernel does not get ready.
    pub fn run(self, install: Install) -> Result<Exit> {
        match self.what {
            What::Boot(boot) => boot.run(install),
            What::Stop(stop) => stop.run(install),
        }
    }
}

/// Measures how long a panic takes to bring every other CPU to a stand.
///
/// Optimised kernels; the other CPUs idle, busy, or with their interrupts off. Each machine is stopped once under
/// `-icount`, for instructions, and `--runs` times on the host's own time, for nanoseconds and a histogram.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask bench stop                                    all, as tables
  cargo xtask bench stop --arch x86_64 --smp 8 --load busy  one machine
  cargo xtask bench stop --runs 0                           count instructions, in four minutes
  cargo xtask bench stop --histogram 1000 --jobs 2 --out docs/stop.md    renew the document")]
struct Stop {
    /// Only this architecture.
    #[arg(long)]
    arch: Option<Arch>,
    /// Only machines with so many CPUs [default: 2, 4, 8, 64, and 255 or 512]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(2..=512))]
    smp: Vec<u32>,
    /// Only with the other CPUs so [default: each]
    #[arg(long, value_enum, value_delimiter = ',')]
    load: Vec<Load>,
    /// How often each machine is stopped on the host's own time; 0: only count. From 64 CPUs on five times at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    runs: u32,
    /// How often a machine of 8 busy CPUs is stopped, whose times become a histogram [default: as often as any]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    histogram: Option<u32>,
    /// Leave the instructions out.
    #[arg(long)]
    no_count: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Write the tables into this file as well, between its marks.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    report: Out,
    /// How many machines run at once: it changes the times [default: 1]
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZero<usize>,
}

/// The architectures that are meant, with what they need in place.
fn prepare(only: Option<Arch>, install: Install) -> Result<Vec<Arch>> {
    let meant = |arch: &Arch| only.is_none_or(|one| one == *arch);
    let archs: Vec<Arch> = Arch::ALL.into_iter().filter(meant).collect();
    let mut needs = vec![Need::KernelRust, Need::Linker];
    needs.extend(archs.iter().copied().map(Need::Qemu));
    needs::ensure(&needs, install)?;
    Ok(archs)
}

impl Stop {
    fn run(self, install: Install) -> Result<Exit> {
        file::check_any("--out", self.out.as_deref())?;
        self.renewed("")?;
        self.report.prepare()?;
        let archs = prepare(self.arch, install)?;
        let figures = self.measure(&archs)?;
        self.report.write(|| figures::stop_page(&figures))?;
        if self.json {
            out::data(&serde_json::to_string(&figures)?)?;
        } else {
            say!("{}", figures.markdown().trim_end());
        }
        if let Some((path, text)) = self.renewed(&figures.markdown())? {
            file::write_all(path, text)?;
        }
        let failed = figures.timed.iter().any(|one| !one.failures.is_empty());
        Ok(if failed { Exit::Failed } else { Exit::Pass })
    }

    /// The document that is to be renewed, with `tables` between its marks.
    fn renewed(&self, tables: &str) -> Result<Option<(&Path, String)>> {
        let Some(path) = self.out.as_deref() else {
            return Ok(None);
        };
        let refused = |error| Refused::usage(format!("--out {}: {error:#}", path.display()));
        let old = fs::read_to_string(path).map_err(|error| refused(error.into()))?;
        let new = stop::replace(&old, tables).map_err(refused)?;
        Ok(Some((path, new)))
    }

    fn measure(&self, archs: &[Arch]) -> Result<stop::Figures> {
        let kernels = archs.iter().map(|arch| {
            kernel::build(Flavour {
                arch: *arch,
                smp: true,
                release: true,
                faults: false,
            })
        });
        let kernels = kernels.collect::<Result<Vec<_>>>()?;
        let cases: Vec<Case<'_>> = kernels.iter().flat_map(|kernel| self.cases(kernel)).collect();
        let jobs = self.jobs.get();
        Ok(stop::Figures {
            qemu: version(Need::Qemu(archs[0])),
            counted: match self.no_count {
                true => Vec::new(),
                false => stop::count(&cases, jobs, &counter::build()?)?,
            },
            timed: match self.runs {
                0 => Vec::new(),
                runs => {
                    let histogram = self.histogram.unwrap_or(runs);
                    stop::time(&cases, |case| case.runs(runs, histogram), jobs)?
                }
            },
        })
    }

    fn cases<'a>(&self, kernel: &'a Kernel) -> Vec<Case<'a>> {
        let arch = kernel.flavour.arch;
        let most = if arch.is_x86() { 255 } else { 512 };
        let sizes = match self.smp.is_empty() {
            true => stop::sizes(arch).to_vec(),
            false => self.smp.iter().copied().filter(|cpus| *cpus <= most).collect(),
        };
        let loads = Load::ALL
            .into_iter()
            .filter(|load| self.load.is_empty() || self.load.contains(load));
        loads
            .flat_map(|load| sizes.iter().map(move |&cpus| Case { kernel, cpus, load }))
            .collect()
    }
}

impl Boot {
    fn run(self, install: Install) -> Result<Exit> {
        file::check_any("--out", self.out.as_deref())?;
        self.report.prepare()?;
        let archs = prepare(self.arch, install)?;
        let figures = self.measure(&archs)?;
        self.report.write(|| figures::boot_page(&figures))?;
        if self.json {
            out::data(&serde_json::to_string(&figures)?)?;
        } else {
            say!("{}", figures.markdown().trim_end());
        }
        if let Some(path) = &self.out {
            file::write_all(path, figures.markdown())?;
        }
        Ok(if figures.repeatable {
            Exit::Pass
        } else {
            Exit::Failed
        })
    }

    fn measure(&self, archs: &[Arch]) -> Result<Figures> {
        let flavours = archs.iter().flat_map(|arch| {
            [false, true].map(|smp| Flavour {
                arch: *arch,
                smp,
                release: true,
                faults: false,
            })
        });
        let kernels = flavours.map(kernel::build).collect::<Result<Vec<_>>>()?;
        let (counted, repeatable) = self.count(&kernels)?;
        Ok(Figures {
            qemu: version(Need::Qemu(archs[0])),
            rustc: version(Need::KernelRust),
            counted,
            images: archs
                .iter()
                .map(|arch| images(*arch, &kernels))
                .collect::<Result<_>>()?,
            builds: if self.no_builds {
                Vec::new()
            } else {
                measure_builds(archs)?
            },
            repeatable,
        })
    }

    /// The counts, and whether a second count of the small machines gave the same.
    fn count(&self, kernels: &[Kernel]) -> Result<(Vec<Counted>, bool)> {
        let jobs = self
            .jobs
            .or_else(|| thread::available_parallelism().ok())
            .map_or(1, NonZero::get);
        let mut runs: Vec<(&Kernel, u32)> = Vec::new();
        for kernel in kernels {
            let sizes = boot::sizes(kernel.flavour.arch)
                .into_iter()
                .filter(|cpus| kernel.flavour.smp || *cpus == 1);
            runs.extend(sizes.map(|cpus| (kernel, cpus)));
        }
        let again = runs.iter().copied().filter(|(_, cpus)| *cpus <= 4).collect();
        let plugin = counter::build()?;
        let (first, second) = (boot::run(runs, jobs, &plugin)?, boot::run(again, jobs, &plugin)?);
        let repeatable = second.iter().all(|one| first.contains(one));
        Ok((first, repeatable))
    }
}

fn measure_builds(archs: &[Arch]) -> Result<Vec<Builds>> {
    archs
        .iter()
        .map(|arch| {
            builds::measure(Flavour {
                arch: *arch,
                smp: true,
                release: false,
                faults: false,
            })
        })
        .collect()
}

fn images(arch: Arch, kernels: &[Kernel]) -> Result<Images> {
    let size = |smp| {
        let kernel = kernels
            .iter()
            .find(|kernel| kernel.flavour.arch == arch && kernel.flavour.smp == smp);
        let file = kernel
            .map(|kernel| kernel.image.file.metadata())
            .context("no such kernel")?;
        Ok::<_, anyhow::Error>(file?.len())
    };
    Ok(Images {
        arch,
        up: size(false)?,
        smp: size(true)?,
    })
}

fn version(need: Need) -> String {
    match need.look() {
        State::Found { version, .. } => version,
        State::Missing { .. } => "unknown".into(),
    }
}
