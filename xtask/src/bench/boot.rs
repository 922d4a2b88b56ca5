//! Counted boots: one instruction is one virtual nanosecond, so that a run is the same every time.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::arch::Arch;
use crate::kernel::elf::Elf;
use crate::kernel::{Flavour, Kernel};
use crate::matrix::schedule;
use crate::progress;
use crate::report::Story;
use crate::vm::console::Show;
use crate::vm::count::Counting;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::record::last;
use crate::vm::spec::Spec;
use crate::vm::{self, Outcome, Watch};

/// One counted boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    pub flavour: Flavour,
    pub cpus: u32,
    /// Virtual ns from the kernel's entry to readiness: instructions of one CPU after the other, and waits.
    pub ready_ns: u64,
    /// Instructions that all CPUs executed from the kernel's entry to readiness.
    pub executed: u64,
    /// Virtual ns from the first start request to the last CPU's arrival.
    pub bring_up_ns: u64,
    /// Instructions that all CPUs executed in the meantime. `None` where the compiler left no function to mark.
    pub bring_up: Option<u64>,
    pub mem_used_kib: u64,
    pub percpu_bytes: u64,
    /// The steps of the boot and their virtual ns, if a page shall show them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<(String, u64)>,
}

/// Each CPU may take long under a count: all of them share one thread of the host.
const PATIENCE: Duration = Duration::from_secs(600);

/// How many CPUs are tried.
pub const fn sizes(arch: Arch) -> [u32; 6] {
    [1, 2, 4, 8, 64, if arch.is_x86() { 255 } else { 512 }]
}

/// Boots each of `runs`, a kernel and a number of CPUs, `jobs` at a time.
///
/// # Errors
/// The first boot that did not get ready.
pub fn run(runs: Vec<(&Kernel, u32)>, jobs: usize, plugin: &Path) -> Result<Vec<Counted>> {
    let bar = progress::bar(runs.len() as u64);
    let counted = schedule::run(
        runs,
        jobs,
        |_| 1,
        |(kernel, cpus)| {
            let counted = count(kernel, cpus, plugin);
            bar.inc(1);
            counted
        },
    );
    bar.finish_and_clear();
    let mut counted = counted.into_iter().collect::<Result<Vec<_>>>()?;
    counted.sort_by_key(|one| (one.flavour, one.cpus));
    Ok(counted)
}

fn count(kernel: &Kernel, cpus: u32, plugin: &Path) -> Result<Counted> {
    let flavour = kernel.flavour;
    // Nothing else ends a run as soon after the readiness line: a power-off stops the other CPUs first.
    let append = "panic=-1 run=triple-fault".into();
    let spec = Spec {
        counting: Some(Counting {
            plugin: plugin.to_owned(),
            marks: marks(kernel)?,
            turn_us: None,
        }),
        ..Spec::usual(kernel, cpus, append)
    };
    let watch = Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(PATIENCE),
        after_ready: None,
        audit: None,
        resets: 0,
    };
    let outcome = vm::run(&spec, watch)?;
    ensure!(
        outcome.end == End::EarlyDeath,
        "{flavour} with {cpus} CPUs: {}\n{}",
        outcome.end.describe(),
        outcome.text
    );
    read(flavour, cpus, &outcome)
}

/// Where QEMU puts an arm64 Image: 2 MiB into RAM.
const ARM_ENTRY: u64 = 0x4020_0000;

/// The kernel's first instruction, and the steps of its start before and after the bring-up.
fn marks(kernel: &Kernel) -> Result<Vec<(String, u64)>> {
    let elf = Elf::parse(&kernel.elf.read()?)?;
    let entry = if kernel.flavour.arch.is_x86() {
        elf.symbol("pvh_entry_phys")
    } else {
        Some(ARM_ENTRY)
    };
    let step = |name: &str| {
        let path = format!("kernel::start::{name}::<");
        elf.symbols
            .iter()
            .find(|(symbol, _)| format!("{:#}", rustc_demangle::demangle(symbol)).starts_with(&path))
    };
    let mut marks = vec![(
        "entry".to_owned(),
        entry.context("the kernel has no entry by PVH")?,
    )];
    for name in ["smp_init", "rest_init"] {
        marks.extend(step(name).map(|(_, address)| (name.to_owned(), *address)));
    }
    Ok(marks)
}

fn read(flavour: Flavour, cpus: u32, outcome: &Outcome) -> Result<Counted> {
    let field =
        |record: &str, key: &str| last(&outcome.records, record).and_then(|record| record.number(key));
    let expected = if flavour.smp {
        format!("{cpus}/{cpus}")
    } else {
        "1/1".into()
    };
    let online = last(&outcome.records, "ready").and_then(|ready| ready.get("cpus"));
    ensure!(
        online == Some(&*expected),
        "{flavour} with {cpus} CPUs: {} online\n{}",
        online.unwrap_or("none"),
        outcome.text
    );
    let counts = outcome.counts.as_ref().context("the plugin counted nothing")?;
    let entry = counts
        .at("entry")
        .context("the plugin did not see the kernel's entry")?;
    Ok(Counted {
        flavour,
        cpus,
        ready_ns: field("ready", "ns").unwrap_or_default(),
        executed: counts.total - entry,
        bring_up_ns: field("cpus", "ns").unwrap_or_default(),
        bring_up: counts
            .at("smp_init")
            .zip(counts.at("rest_init"))
            .map(|(start, end)| end - start),
        mem_used_kib: field("ready", "mem_used_kib").unwrap_or_default(),
        percpu_bytes: field("ready", "percpu_bytes").unwrap_or_default(),
        phases: outcome.story.as_ref().map_or_else(Vec::new, Story::phases),
    })
}

impl Counted {
    /// Instructions for each secondary CPU. `None` without any.
    pub fn per_secondary(&self) -> Option<u64> {
        self.bring_up?
            .checked_div(u64::from(self.cpus.checked_sub(1).filter(|_| self.flavour.smp)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secondaries_are_all_but_one() {
        let flavour = Flavour {
            arch: Arch::X86_64,
            smp: true,
            release: true,
            faults: false,
        };
        let counted = |flavour, cpus| Counted {
            flavour,
            cpus,
            ready_ns: 0,
            bring_up_ns: 0,
            bring_up: Some(700),
            executed: 0,
            mem_used_kib: 0,
            percpu_bytes: 0,
            phases: Vec::new(),
        };
        assert_eq!(counted(flavour, 8).per_secondary(), Some(100));
        assert_eq!(counted(flavour, 1).per_secondary(), None);
        assert_eq!(
            counted(
                Flavour {
                    smp: false,
                    ..flavour
                },
                8
            )
            .per_secondary(),
            None
        );
    }
}
