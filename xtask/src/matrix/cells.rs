//! The one table of what is tested: architecture, build, number of CPUs, machine.

mod cores;
mod features;
mod memory;
#[cfg(test)]
mod tests;
pub mod topology;
mod variants;

use std::time::Duration;

use serde::Serialize;

use self::topology::Topology;
use self::variants::{VARIANTS, Variant};
use super::odd::{self, Odd};
use super::task::Task;
use crate::arch::Arch;
use crate::kernel::Flavour;
use crate::needs::Need;
use crate::needs::newer::Newer;
use crate::vm::judge::End;
use crate::vm::spec::Boot;

/// How much RAM a cell's machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// QEMU's `-m`.
    pub size: &'static str,
    /// Mebibytes that the kernel finds: as many, or less by `mem=`, or by a hole that nothing is moved out of.
    pub mib: u64,
}

impl Memory {
    /// What is enough for anything else.
    pub const USUAL: Self = Self::new("256", 256);

    pub const fn new(size: &'static str, mib: u64) -> Self {
        Self { size, mib }
    }
}

/// One run of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    #[serde(flatten)]
    pub flavour: Flavour,
    pub cpus: u32,
    pub variant: &'static str,
    pub machine: Option<&'static str>,
    pub cpu: Option<&'static str>,
    pub words: &'static str,
    /// What must be on the console.
    pub says: &'static str,
    pub boot: Boot,
    pub memory: Memory,
    pub task: Task,
    /// What of a newer QEMU it takes.
    pub needs: Option<Newer>,
    /// How the CPUs sit, where it is not one beside the other.
    pub topology: Option<Topology>,
    /// The tables of a machine of the family `tables`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odd: Option<Odd>,
}

impl Cell {
    /// `x86_64/q35/smp-4`, and the task where it is not just to boot.
    pub fn name(&self) -> String {
        let Flavour { arch, .. } = self.flavour;
        let base = format!("{arch}/{}/{}", self.variant, self.column());
        if self.task == Task::Boot {
            base
        } else {
            format!("{base}/{}", self.task.name())
        }
    }

    /// The column of the summary: build and number of CPUs.
    pub fn column(&self) -> String {
        format!("{}-{}", self.flavour.build(), self.cpus)
    }

    /// The row of the summary: machine, or task. What a machine lacks speaks for itself.
    pub fn row(&self) -> String {
        let variant = self.variant.trim_start_matches("features-");
        let what = if self.task == Task::Boot {
            variant
        } else {
            self.task.name()
        };
        if self.task != Task::Boot && !is_first(self.flavour.arch, self.variant) {
            return format!("{} {variant} {what}", self.flavour.arch);
        }
        format!("{} {what}", self.flavour.arch)
    }

    /// How many MiB of RAM are out of the kernel's reach.
    pub const fn left_mib(&self) -> u64 {
        self.memory
            .mib
            .saturating_sub(memory::reach_mib(self.flavour.arch))
    }

    /// How many CPUs must be online at readiness.
    pub const fn online(&self) -> u32 {
        if self.flavour.smp { self.cpus } else { 1 }
    }

    /// Why the emulator that is there cannot show it; `None` if it can.
    pub fn lacking(&self) -> Option<String> {
        self.needs?.lacking(self.flavour.arch)
    }

    /// How its run must end.
    pub fn end(&self) -> End {
        self.odd.map_or(self.task.end(), |odd| odd.end())
    }

    /// How long it may run on once the kernel is ready: the time in which a kernel that hangs must not end.
    pub const fn after_ready(&self) -> Option<Duration> {
        match self.task {
            Task::Hang | Task::TripleFault | Task::LostVectors => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// How much of the machine it takes, in units of a small cell.
    pub const fn weight(&self) -> usize {
        (self.cpus as usize).div_ceil(16)
    }

    /// Wall time it may take, on a machine that is busy with others.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(60 + u64::from(self.cpus))
    }
}

/// Whether `variant` is the machine of `arch` that most tasks are run on.
fn is_first(arch: Arch, variant: &str) -> bool {
    let first = VARIANTS.iter().find(|variant| variant.arch == arch);
    first.is_some_and(|first| first.name == variant)
}

/// The whole matrix.
pub fn all(release: bool) -> Vec<Cell> {
    let machines = VARIANTS
        .iter()
        .chain(features::LACKING)
        .chain(cores::CORES)
        .chain(topology::VARIANTS);
    let boots = machines.flat_map(|variant| {
        let sizes = [(false, 1), (false, 4), (true, 1), (true, 4), (true, variant.many)];
        let sizes = variant.only.unwrap_or(&sizes).to_vec();
        let sizes = sizes.into_iter().chain(variant.most.map(|most| (true, most)));
        sizes.map(|(smp, cpus)| cell(variant, smp, cpus, release, Task::Boot))
    });
    let others = Arch::ALL
        .into_iter()
        .filter_map(|arch| VARIANTS.iter().find(|variant| variant.arch == arch));
    let others = others.flat_map(|variant| {
        let tasks = Task::SPECIAL.into_iter().filter(|task| task.is_for(variant.arch));
        let anywhere = |task: &Task| !task.needs_bios() && !task.needs_efi();
        let tasks = tasks.chain(Task::again(variant.arch).filter(anywhere));
        tasks.flat_map(move |task| {
            let builds = [false, true]
                .into_iter()
                .filter(move |smp| *smp || !task.needs_smp());
            builds.map(move |smp| cell(variant, smp, 4, release, task))
        })
    });
    let gicv2 = VARIANTS.iter().filter(|variant| variant.name == "gicv2");
    let gicv2 = gicv2.flat_map(|variant| Task::GICV2.map(|task| cell(variant, true, 4, release, task)));
    let bios = VARIANTS.iter().filter(|variant| variant.name == "bzimage");
    let bios = bios.flat_map(|variant| {
        let tasks = Task::again(variant.arch).filter(|task| task.needs_bios());
        tasks.flat_map(move |task| [false, true].map(|smp| cell(variant, smp, 4, release, task)))
    });
    let uefi = VARIANTS.iter().filter(|variant| variant.name == "uefi");
    let uefi = uefi.flat_map(|variant| {
        let again = Task::again(variant.arch).filter(|task| task.needs_efi());
        let tasks = again.chain([Task::Audit]);
        tasks.map(move |task| cell(variant, true, 4, release, task))
    });
    let refused = features::REFUSED.iter().flat_map(|(variant, clue)| {
        let sizes = variant.only.unwrap_or_default().iter();
        sizes.map(|(smp, cpus)| cell(variant, *smp, *cpus, release, Task::Refused(clue)))
    });
    let reached = cores::STOPPED_BY.iter();
    let reached = reached.map(|variant| cell(variant, true, 4, release, Task::Reach));
    let special = gicv2.chain(bios).chain(uefi).chain(refused).chain(reached);
    let odd = odd::all().map(|odd| odd_cell(odd, release));
    let special = special.chain(memory::cells(release)).chain(odd);
    let mut cells: Vec<Cell> = boots.chain(others).chain(special).collect();
    // By architecture, so that a shard builds few kernels.
    cells.sort_by_key(|cell| (cell.flavour.arch, cell.task != Task::Boot));
    cells
}

/// What `cells` take beside compilers and emulators.
pub fn needs(cells: &[Cell]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for need in cells.iter().filter_map(|cell| cell.boot.need(cell.flavour.arch)) {
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs
}

fn cell(variant: &Variant, smp: bool, cpus: u32, release: bool, task: Task) -> Cell {
    Cell {
        flavour: Flavour {
            arch: variant.arch,
            smp,
            release,
            faults: false,
        },
        cpus,
        variant: variant.name,
        machine: variant.machine,
        cpu: variant.cpu,
        words: variant.words,
        says: variant.says,
        boot: variant.boot,
        memory: variant.memory,
        task,
        needs: variant.needs,
        topology: variant.topology,
        odd: None,
    }
}

/// A machine of the family `tables`.
fn odd_cell((odd, arch, smp): (Odd, Arch, bool), release: bool) -> Cell {
    let (boot, machine) = odd.machine(arch);
    Cell {
        flavour: Flavour {
            arch,
            smp,
            release,
            faults: false,
        },
        cpus: 4,
        variant: odd.name,
        machine,
        cpu: None,
        words: odd.words,
        boot,
        memory: Memory::USUAL,
        says: "",
        task: Task::Boot,
        needs: None,
        topology: None,
        odd: Some(odd),
    }
}
