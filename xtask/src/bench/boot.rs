//! Counted boots: one instruction is one virtual nanosecond, so that a run is the same every time.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::arch::Arch;
use crate::kernel::{Flavour, Kernel};
use crate::matrix::schedule;
use crate::progress;
use crate::vm::console::Show;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::record::last;
use crate::vm::spec::{Boot, Spec};
use crate::vm::{self, Outcome, Watch};

/// One counted boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    pub flavour: Flavour,
    pub cpus: u32,
    /// Virtual ns from the kernel's entry to readiness: instructions of one CPU after the other, and waits.
    pub ready: u64,
    /// Virtual ns from the first start request to the last CPU's arrival.
    pub bring_up: u64,
    /// Instructions of all CPUs from the machine's reset, firmware included, to readiness.
    pub executed: u64,
    pub mem_used_kib: u64,
    pub percpu_bytes: u64,
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
pub fn run(runs: Vec<(&Kernel, u32)>, jobs: usize) -> Result<Vec<Counted>> {
    let bar = progress::bar(runs.len() as u64);
    let counted = schedule::run(
        runs,
        jobs,
        |_| 1,
        |(kernel, cpus)| {
            let counted = count(kernel, cpus);
            bar.inc(1);
            counted
        },
    );
    bar.finish_and_clear();
    let mut counted = counted.into_iter().collect::<Result<Vec<_>>>()?;
    counted.sort_by_key(|one| (one.flavour, one.cpus));
    Ok(counted)
}

fn count(kernel: &Kernel, cpus: u32) -> Result<Counted> {
    let flavour = kernel.flavour;
    let spec = Spec {
        kernel,
        boot: Boot::of(flavour.arch)[0],
        machine: flavour.arch.default_machine().to_owned(),
        cpu: flavour.arch.default_cpu().to_owned(),
        cpus,
        memory: "512".into(),
        // Nothing else ends a run as soon after the readiness line: a power-off stops the other CPUs first.
        append: "panic=-1 run=triple-fault".into(),
        initrd: None,
        gdb: None,
        icount: true,
    };
    let watch = Watch {
        show: Show::Hidden,
        input: Input::None,
        timeout: Some(PATIENCE),
        after_ready: None,
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
    Ok(Counted {
        flavour,
        cpus,
        ready: field("ready", "ns").unwrap_or_default(),
        bring_up: field("cpus", "ns").unwrap_or_default(),
        executed: outcome.executed.unwrap_or_default(),
        mem_used_kib: field("ready", "mem_used_kib").unwrap_or_default(),
        percpu_bytes: field("ready", "percpu_bytes").unwrap_or_default(),
    })
}

impl Counted {
    /// What each secondary CPU took. `None` without any.
    pub fn per_secondary(&self) -> Option<u64> {
        self.bring_up
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
        };
        let counted = |flavour, cpus| Counted {
            flavour,
            cpus,
            ready: 0,
            bring_up: 700,
            executed: 0,
            mem_used_kib: 0,
            percpu_bytes: 0,
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
