//! The one table of what is tested: architecture, build, number of CPUs, machine.

use std::time::Duration;

use serde::Serialize;

use super::task::Task;
use crate::arch::Arch;
use crate::kernel::Flavour;
use crate::needs::Need;
use crate::vm::spec::Boot;

/// A machine that a kernel must come up on.
struct Variant {
    arch: Arch,
    name: &'static str,
    machine: Option<&'static str>,
    cpu: Option<&'static str>,
    /// Words for the kernel, beside its orders.
    words: &'static str,
    boot: Boot,
    /// The largest machine of this kind that every run tries.
    many: u32,
    /// Only these, builds for one CPU or many and their CPUs, where booting takes its time.
    only: Option<&'static [(bool, u32)]>,
    /// The largest that there is, where that is larger.
    most: Option<u32>,
}

const fn variant(arch: Arch, name: &'static str, boot: Boot) -> Variant {
    Variant {
        arch,
        name,
        machine: None,
        cpu: None,
        words: "",
        boot,
        many: 64,
        only: None,
        most: None,
    }
}

impl Variant {
    const fn machine(self, machine: &'static str) -> Self {
        Self {
            machine: Some(machine),
            ..self
        }
    }

    const fn cpu(self, cpu: &'static str) -> Self {
        Self {
            cpu: Some(cpu),
            ..self
        }
    }

    const fn words(self, words: &'static str) -> Self {
        Self { words, ..self }
    }

    const fn many(self, many: u32) -> Self {
        Self { many, ..self }
    }

    const fn only(self, only: &'static [(bool, u32)]) -> Self {
        Self {
            only: Some(only),
            ..self
        }
    }

    const fn most(self, most: u32) -> Self {
        Self {
            most: Some(most),
            ..self
        }
    }
}

/// All machines. The first of each architecture is the one that `cargo xtask qemu` boots.
const VARIANTS: &[Variant] = &[
    variant(Arch::X86_64, "q35", Boot::Pvh).most(255),
    variant(Arch::X86_64, "bzimage", Boot::BzImage),
    variant(Arch::X86_64, "pc", Boot::BzImage).machine("pc").many(8),
    variant(Arch::X86_64, "microvm", Boot::Pvh)
        .machine("microvm")
        .many(8),
    variant(Arch::X86_64, "qemu64", Boot::Pvh).cpu("qemu64").many(8),
    variant(Arch::X86_64, "uefi", Boot::Efi).many(8),
    variant(Arch::X86_64, "grub", Boot::Grub).only(&[(false, 1), (true, 4)]),
    variant(Arch::I386, "q35", Boot::Pvh).most(255),
    variant(Arch::I386, "bzimage", Boot::BzImage),
    variant(Arch::I386, "pc", Boot::BzImage).machine("pc").many(8),
    variant(Arch::I386, "pentium", Boot::Pvh).cpu("pentium").many(8),
    // PAE without the no-execute bit; the first has both, the Pentium neither.
    variant(Arch::I386, "qemu32", Boot::Pvh).cpu("qemu32").many(8),
    variant(Arch::I386, "nopae", Boot::Pvh).words("nopae").many(8),
    variant(Arch::I386, "uefi", Boot::Efi).many(8),
    variant(Arch::I386, "uefi-pentium3", Boot::Efi)
        .cpu("pentium3")
        .only(&[(false, 1), (true, 4)]),
    // The roots have two levels then. Not the CPU but the kernel goes without: firmware itself dies on a CPU that has no PAE.
    variant(Arch::I386, "uefi-nopae", Boot::Efi)
        .cpu("pentium3")
        .words("nopae")
        .only(&[(false, 1)]),
    variant(Arch::I386, "grub", Boot::Grub).only(&[(false, 1), (true, 4)]),
    variant(Arch::Aarch64, "gicv3", Boot::Image).most(512),
    variant(Arch::Aarch64, "gicv2", Boot::Image)
        .machine("gic-version=2")
        .many(8),
    variant(Arch::Aarch64, "el2", Boot::Image).machine("virtualization=on"),
    variant(Arch::Aarch64, "secure", Boot::Image)
        .machine("secure=on")
        .many(8),
    variant(Arch::Aarch64, "max", Boot::Image).cpu("max").many(8),
    variant(Arch::Aarch64, "max-el2", Boot::Image)
        .cpu("max")
        .machine("virtualization=on,gic-version=2")
        .many(8),
    // By ACPI alone, then by device tree alone.
    variant(Arch::Aarch64, "uefi", Boot::Efi).many(8),
    variant(Arch::Aarch64, "uefi-dt", Boot::Efi)
        .machine("acpi=off")
        .only(&[(false, 4), (true, 4)]),
];

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
    pub boot: Boot,
    pub task: Task,
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

    /// The row of the summary: machine, or task.
    pub fn row(&self) -> String {
        let what = if self.task == Task::Boot {
            self.variant
        } else {
            self.task.name()
        };
        if self.task != Task::Boot && !is_first(self.flavour.arch, self.variant) {
            return format!("{} {} {what}", self.flavour.arch, self.variant);
        }
        format!("{} {what}", self.flavour.arch)
    }

    /// How many CPUs must be online at readiness.
    pub const fn online(&self) -> u32 {
        if self.flavour.smp { self.cpus } else { 1 }
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
    let boots = VARIANTS.iter().flat_map(|variant| {
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
    let special = gicv2.chain(bios).chain(uefi);
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
        boot: variant.boot,
        task,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::vm::machine;

    #[test]
    fn names_are_unique() {
        let names: HashSet<String> = all(false).iter().map(Cell::name).collect();
        assert_eq!(names.len(), all(false).len());
    }

    #[test]
    fn every_machine_can_hold_its_cpus() {
        for cell in all(false) {
            let machine = machine::merge(cell.flavour.arch, cell.machine);
            let most = machine::max_cpus(cell.flavour.arch, &machine);
            assert!(most.is_some_and(|most| cell.cpus <= most), "{}", cell.name());
            assert!(
                Boot::of(cell.flavour.arch).contains(&cell.boot),
                "{}",
                cell.name()
            );
        }
    }

    /// What a cell must be like.
    struct Promise {
        what: String,
        holds: Box<dyn Fn(&Cell) -> bool>,
    }

    fn promise(what: impl Into<String>, holds: impl Fn(&Cell) -> bool + 'static) -> Promise {
        let (what, holds) = (what.into(), Box::new(holds));
        Promise { what, holds }
    }

    /// A plain boot, of this build on so many CPUs.
    fn is_boot(cell: &Cell, arch: Arch, (smp, cpus): (bool, u32)) -> bool {
        cell.flavour.arch == arch && cell.flavour.smp == smp && cell.cpus == cpus && cell.task == Task::Boot
    }

    const SIZES: [(bool, u32); 4] = [(false, 1), (false, 4), (true, 1), (true, 4)];

    /// Firmware, builds and CPUs, kinds of CPU, loaders, ways to reset: what the project says that it boots on.
    fn promises() -> Vec<Promise> {
        let mut all = Vec::new();
        for arch in Arch::ALL {
            for size in SIZES {
                let what = |firmware| format!("{arch}, {firmware}, {size:?}");
                all.push(promise(what("UEFI"), move |cell| {
                    is_boot(cell, arch, size) && cell.boot == Boot::Efi && cell.cpu.is_none()
                }));
                let road = if arch.is_x86() { Boot::BzImage } else { Boot::Image };
                all.push(promise(what("no UEFI"), move |cell| {
                    is_boot(cell, arch, size)
                        && cell.boot == road
                        && cell.machine.is_none()
                        && cell.cpu.is_none()
                }));
            }
            for way in Task::again(arch) {
                all.push(promise(format!("{arch}, {}", way.name()), move |cell| {
                    cell.flavour.arch == arch && cell.flavour.smp && cell.task == way && cell.resets_as_said()
                }));
            }
        }
        for size in SIZES {
            for cpu in ["pentium", "qemu32"] {
                all.push(promise(format!("i386, {cpu}, {size:?}"), move |cell| {
                    is_boot(cell, Arch::I386, size) && cell.cpu == Some(cpu)
                }));
            }
            for (what, words) in [("PAE", ""), ("no PAE", "nopae")] {
                all.push(promise(format!("i386, {what}, {size:?}"), move |cell| {
                    is_boot(cell, Arch::I386, size) && cell.variant_is_bare() && cell.words == words
                }));
            }
        }
        for arch in [Arch::X86_64, Arch::I386] {
            for size in [SIZES[0], SIZES[3]] {
                all.push(promise(format!("{arch}, GRUB, {size:?}"), move |cell| {
                    is_boot(cell, arch, size) && cell.boot == Boot::Grub
                }));
            }
        }
        for (what, words) in [("PAE", ""), ("no PAE", "nopae")] {
            all.push(promise(format!("i386, UP, UEFI, {what}"), move |cell| {
                is_boot(cell, Arch::I386, (false, 1))
                    && cell.boot == Boot::Efi
                    && (cell.cpu, cell.words) == (Some("pentium3"), words)
            }));
        }
        all
    }

    impl Cell {
        /// QEMU's own loader, its own machine and the best CPU there is.
        fn variant_is_bare(&self) -> bool {
            self.boot == Boot::Pvh && self.machine.is_none() && self.cpu.is_none()
        }

        /// Comes up again once, by the firmware that its way takes.
        fn resets_as_said(&self) -> bool {
            let efi = self.boot == Boot::Efi;
            let bios = self.boot == Boot::BzImage;
            self.task.resets() == 1 && self.task.needs_efi() == efi && self.task.needs_bios() == bios
        }
    }

    fn broken(cells: &[Cell]) -> Vec<String> {
        let all = promises().into_iter();
        all.filter(|promise| !cells.iter().any(|cell| (promise.holds)(cell)))
            .map(|promise| promise.what)
            .collect()
    }

    #[test]
    fn every_firmware_cpu_loader_and_way_to_reset_is_there() {
        assert_eq!(broken(&all(false)), [""; 0]);
    }

    #[test]
    fn a_cell_that_goes_is_missed() {
        let cells = all(false);
        for promise in promises() {
            let keep = |cell: &&Cell| !(promise.holds)(cell);
            let fewer: Vec<Cell> = cells.iter().filter(keep).cloned().collect();
            assert!(fewer.len() < cells.len(), "{}", promise.what);
            assert!(broken(&fewer).contains(&promise.what), "{}", promise.what);
        }
        // Each of the ways is a promise of its own on each architecture that has it.
        let ways: HashSet<String> = promises()
            .into_iter()
            .filter_map(|promise| Some(promise.what.split_once("again-")?.1.to_owned()))
            .collect();
        let known = ["acpi", "bios", "efi", "kbd", "pci", "psci", "triple"];
        assert_eq!(ways, HashSet::from(known.map(String::from)));
    }

    #[test]
    fn the_sizes_that_were_promised_are_there() {
        let has = |name: &str| all(false).iter().any(|cell| cell.name() == name);
        for name in [
            "x86_64/q35/smp-255",
            "i386/q35/smp-255",
            "aarch64/gicv3/smp-512",
            "i386/pentium/up-1",
            "i386/uefi-pentium3/up-1",
            "i386/uefi-nopae/up-1",
            "x86_64/uefi/smp-4/again-efi",
            "i386/uefi/smp-4/again-efi",
            "aarch64/uefi/smp-4/again-efi",
            "x86_64/uefi/smp-4/audit",
            "x86_64/grub/smp-4",
            "aarch64/gicv2/smp-4/hotplug",
            "x86_64/bzimage/up-4/again-bios",
            "i386/bzimage/smp-4/again-bios",
        ] {
            assert!(has(name), "{name}");
        }
        for arch in Arch::ALL {
            let variant = VARIANTS.iter().find(|variant| variant.arch == arch).unwrap().name;
            for rest in [
                "up-1",
                "up-4",
                "smp-1",
                "smp-4",
                "up-4/panic",
                "smp-4/hang",
                "smp-4/triple-fault",
                "smp-4/hotplug",
                "smp-4/off-panic",
                "smp-4/hotplug-panic",
                "up-4/audit",
                "smp-4/audit",
                "smp-4/lie",
                if arch.is_x86() {
                    "up-4/again-triple"
                } else {
                    "up-4/again-psci"
                },
            ] {
                assert!(
                    has(&format!("{arch}/{variant}/{rest}")),
                    "{arch}/{variant}/{rest}"
                );
            }
        }
    }
}
