//! QEMU's machine string, and how many CPUs it can hold.

use crate::arch::Arch;

/// The machine string to use: `given` may be a whole one, or only options for the default machine of `arch`.
pub fn merge(arch: Arch, given: Option<&str>) -> String {
    let default = arch.default_machine();
    match given {
        None | Some("") => default.to_owned(),
        Some(given) if given.split(',').next().is_some_and(|first| first.contains('=')) => {
            override_options(default, given)
        }
        Some(given) => given.to_owned(),
    }
}

/// An option of `given` takes the place of the same option of `machine`.
fn override_options(machine: &str, given: &str) -> String {
    let new: Vec<&str> = given.split(',').collect();
    let key = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let replaced = |option: &&str| new.iter().any(|new| key(new) == key(option));
    let kept = machine
        .split(',')
        .filter(|option| !option.contains('=') || !replaced(option));
    kept.chain(new.iter().copied()).collect::<Vec<_>>().join(",")
}

/// The most CPUs that `machine` takes under TCG; `None` for a machine that is not known here.
pub fn max_cpus(arch: Arch, machine: &str) -> Option<u32> {
    let name = machine.split(',').next().unwrap_or_default();
    match (arch, name) {
        // More needs x2APIC, which TCG lacks.
        (Arch::X86_64 | Arch::I386, "q35" | "pc") => Some(255),
        (Arch::X86_64 | Arch::I386, "microvm") => Some(255),
        (Arch::Aarch64, "virt") if gic(machine) == "3" => Some(512),
        (Arch::Aarch64, "virt") if gic(machine) == "2" => Some(8),
        _ => None,
    }
}

/// Version 2 is what QEMU takes when nothing is said.
fn gic(machine: &str) -> &str {
    machine
        .split(',')
        .rev()
        .find_map(|option| option.strip_prefix("gic-version="))
        .unwrap_or("2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_merged_and_names_are_not() {
        assert_eq!(merge(Arch::Aarch64, None), "virt,gic-version=3");
        assert_eq!(merge(Arch::Aarch64, Some("gic-version=2")), "virt,gic-version=2");
        assert_eq!(
            merge(Arch::Aarch64, Some("secure=on")),
            "virt,gic-version=3,secure=on"
        );
        assert_eq!(
            merge(Arch::Aarch64, Some("secure=on,gic-version=2")),
            "virt,secure=on,gic-version=2"
        );
        assert_eq!(merge(Arch::Aarch64, Some("virt,secure=on")), "virt,secure=on");
        assert_eq!(merge(Arch::X86_64, Some("microvm")), "microvm");
        assert_eq!(merge(Arch::X86_64, Some("hpet=off")), "q35,hpet=off");
        assert_eq!(merge(Arch::X86_64, Some("")), "q35");
    }

    #[test]
    fn sizes_are_known() {
        assert_eq!(max_cpus(Arch::X86_64, "q35,hpet=off"), Some(255));
        assert_eq!(max_cpus(Arch::Aarch64, "virt,gic-version=3"), Some(512));
        assert_eq!(max_cpus(Arch::Aarch64, "virt"), Some(8));
        assert_eq!(max_cpus(Arch::Aarch64, "virt,gic-version=max"), None);
        assert_eq!(max_cpus(Arch::I386, "isapc"), None);
    }
}
