//! `cargo xtask report`: one page of several, or of a short tour.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::arch::Arch;
use crate::exit::Exit;
use crate::kernel::{self, Flavour, Kernel};
use crate::needs::{self, Install, Need};
use crate::report::{self, Page, Run};
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::spec::Spec;
use crate::vm::{self, Watch};
use crate::{file, paths};

/// Makes one page of the pages that other verbs wrote with `--report`; without any, of a short tour.
///
/// The tour boots small, middling and large machines of each architecture, keeps their CPUs busy, panics, and shows what each CPU
/// did. Pages are single HTML files that need no network; their data are in them, so that they can be put together later.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask report                                   the tour
  cargo xtask matrix --report matrix.html
  cargo xtask soak --minutes 5 --report soak.html
  cargo xtask report matrix.html soak.html --out all.html")]
pub struct Report {
    /// Pages to put together.
    pages: Vec<PathBuf>,
    /// Where to [default: report.html in the output folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only this architecture on the tour.
    #[arg(long, conflicts_with = "pages")]
    arch: Option<Arch>,
}

/// CPUs of the tour's machines, and what their kernels are told.
const TOUR: [(u32, &str); 4] = [
    (2, "panic"),
    (8, "busy all;panic"),
    (8, "irqsoff 3,5;panic"),
    (64, "busy all;panic"),
];

impl Report {
    /// Runs the verb.
    ///
    /// # Errors
    /// When a page cannot be read or written, or something for the tour is missing.
    pub fn run(self, install: Install) -> Result<Exit> {
        let out = self
            .out
            .clone()
            .unwrap_or_else(|| paths::out().join("report.html"));
        if self.out.is_some() {
            file::check("--out", &out)?;
        }
        let page = match self.pages.is_empty() {
            true => self.tour(install)?,
            false => self.together()?,
        };
        std::fs::create_dir_all(paths::out()).context("no output folder")?;
        report::write(&out, &page)?;
        Ok(match page.runs.iter().all(|run| run.wrong.is_none()) {
            true => Exit::Pass,
            false => Exit::Failed,
        })
    }

    fn together(&self) -> Result<Page> {
        let mut all = Page {
            title: "Standstill: several reports".into(),
            ..Page::default()
        };
        for file in &self.pages {
            let html =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            all.add(Page::parse(&html).with_context(|| file.display().to_string())?);
        }
        Ok(all)
    }

    fn tour(&self, install: Install) -> Result<Page> {
        let meant = |arch: &Arch| self.arch.is_none_or(|one| one == *arch);
        let archs: Vec<Arch> = Arch::ALL.into_iter().filter(meant).collect();
        let mut needs = vec![Need::KernelRust, Need::Linker];
        needs.extend(archs.iter().copied().map(Need::Qemu));
        needs::ensure(&needs, install)?;
        report::want();
        let mut page = Page::new("Standstill: a tour");
        for arch in archs {
            let kernel = kernel::build(Flavour {
                arch,
                smp: true,
                release: false,
                faults: false,
            })?;
            for (cpus, commands) in TOUR {
                page.runs.push(stop(&kernel, cpus, commands)?);
            }
        }
        Ok(page)
    }
}

fn stop(kernel: &Kernel, cpus: u32, commands: &str) -> Result<Run> {
    let arch = kernel.flavour.arch;
    let append = format!("panic=-1 \"run={commands}\"");
    let spec = Spec::usual(kernel, cpus, append);
    let watch = Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(Duration::from_secs(60 + 2 * u64::from(cpus))),
        after_ready: None,
        resets: 0,
        audit: None,
    };
    let outcome = vm::run(&spec, watch)?;
    let wrong = (outcome.end != End::Panic).then(|| outcome.end.describe());
    let again =
        format!("cargo xtask qemu --arch {arch} --smp {cpus} --expect panic --append 'run=\"{commands}\"'");
    Ok(
        Run::of(format!("{arch}, {cpus} CPUs: {commands}"), Some(&outcome), wrong)
            .again(again, None)
            .at(commands, format!("{arch} {cpus}")),
    )
}
