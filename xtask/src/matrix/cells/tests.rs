//! What the project says that it boots on is in the matrix, and is missed if it goes.

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
        // How many more there can be with x2APIC is QEMU's to say, where it has that.
        let fits = most.is_some_and(|most| cell.cpus <= most) || cell.needs == Some(Newer::X2apic);
        assert!(fits, "{}", cell.name());
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
                is_boot(cell, arch, size) && cell.boot == road && cell.machine.is_none() && cell.cpu.is_none()
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

/// aarch64's cores, old and new, are entered at EL1 and EL2, with firmware below and without; and a CPU with its interrupts
/// off is stopped in either way that there is.
#[test]
fn every_core_is_entered_at_each_level_and_each_signal_reaches_it() {
    let arm = || {
        all(false)
            .into_iter()
            .filter(|cell| cell.flavour.arch == Arch::Aarch64)
    };
    let options = |cell: &Cell| machine::merge(Arch::Aarch64, cell.machine);
    for cpu in ["cortex-a53", "max"] {
        for (el2, el3) in [(false, true), (true, false), (true, true)] {
            let is_so = |cell: &Cell| {
                let options = options(cell);
                let has = |option: &str| options.split(',').any(|each| each == option);
                has("virtualization=on") == el2 && has("secure=on") == el3
            };
            for size in [SIZES[0], SIZES[3]] {
                let mut cells = arm().filter(|cell| is_boot(cell, Arch::Aarch64, size));
                let found = cells.any(|cell| cell.cpu == Some(cpu) && is_so(&cell));
                assert!(found, "{cpu}, EL2: {el2}, EL3: {el3}, {size:?}");
            }
        }
    }
    let reached = |needs| arm().any(|cell| cell.task == Task::Reach && cell.needs == needs);
    assert!(reached(None) && reached(Some(Newer::ArmNmi)));
    let silent = |cell: &Cell| cell.task == Task::Reach && cell.says.is_empty();
    assert!(!all(false).iter().any(silent), "the signal must be named");
}

/// Each of these is tried on a CPU that has all others, by a build for one CPU or for more.
#[test]
fn every_feature_is_taken_away_once() {
    const FEATURES_64: &str =
        "nx pge pse sep tsc-deadline smep smap umip pcid la57 x2apic pdpe1gb tsc msr pae cmov lm apic";
    const FEATURES_32: &str = "nx pge pse sep msr pae smep smap umip x2apic tsc cx8 apic";
    for (arch, features) in [(Arch::X86_64, FEATURES_64), (Arch::I386, FEATURES_32)] {
        for feature in features.split(' ') {
            let lacks = format!("max,-{feature}");
            let of = |cell: &Cell| cell.flavour.arch == arch && cell.cpu == Some(&lacks);
            let mut cells = all(false).into_iter().filter(of);
            let named = |cell: Cell| cell.flavour.smp && cell.variant.starts_with("features-");
            assert!(cells.any(named), "{arch}, {lacks}");
        }
    }
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
