//! QEMU's machine string, and how many CPUs the QEMU that is there puts into such a machine.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::probe;
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

/// How many CPUs a machine takes, and what keeps it from more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub cpus: u32,
    /// Empty when the machine itself has no more.
    pub why: &'static str,
}

/// The most CPUs that `machine` takes, as the QEMU that is there says; `None` where it does not know the machine. Options of the
/// machine (a GICv2) may allow fewer.
///
/// # Errors
/// When QEMU does not answer.
pub fn limit(arch: Arch, machine: &str) -> Result<Option<Limit>> {
    let commands = [
        json!({ "execute": "qmp_capabilities" }),
        json!({ "execute": "query-machines" }),
        json!({ "execute": "query-cpu-model-expansion",
                "arguments": { "type": "full", "model": { "name": "max" } } }),
        json!({ "execute": "quit" }),
    ];
    let mut command = Command::new(arch.qemu());
    command.args([
        "-M",
        "none",
        "-accel",
        "tcg",
        "-nodefaults",
        "-display",
        "none",
        "-qmp",
        "stdio",
    ]);
    let lines: String = commands.iter().map(|command| format!("{command}\n")).collect();
    let output = probe::run(&mut command, arch, lines.as_bytes(), probe::PATIENCE)?;
    let name = machine.split(',').next().unwrap_or_default();
    read(&String::from_utf8_lossy(&output.stdout), arch, name).context("QEMU does not tell of its machines")
}

/// Finds the machine called `name` in QEMU's answers. `None` if there are none.
fn read(answers: &str, arch: Arch, name: &str) -> Option<Option<Limit>> {
    let answers: Vec<Value> = answers
        .lines()
        .map_while(|line| serde_json::from_str(line).ok())
        .collect();
    let machines = answers.iter().find_map(|answer| answer["return"].as_array())?;
    let is_meant = |machine: &&Value| machine["name"] == name || machine["alias"] == name;
    let most = machines
        .iter()
        .find(is_meant)
        .and_then(|machine| u32::try_from(machine["cpu-max"].as_u64()?).ok());
    // An APIC that has 8 bits for a CPU's number, and all ones for all CPUs.
    let lacks_x2apic = arch.is_x86()
        && answers
            .iter()
            .any(|answer| answer["return"]["model"]["props"]["x2apic"] == false);
    Some(most.map(|cpus| match lacks_x2apic {
        true if cpus > 255 => Limit {
            cpus: 255,
            why: ": this QEMU emulates no x2APIC",
        },
        _ => Limit { cpus, why: "" },
    }))
}

/// The most CPUs of `machine` under QEMU 7.2, on which all tables of machines are to run; `None` for one that is not known.
#[cfg(test)]
pub fn max_cpus(arch: Arch, machine: &str) -> Option<u32> {
    let name = machine.split(',').next().unwrap_or_default();
    match (arch, name) {
        (Arch::X86_64 | Arch::I386, "q35" | "pc" | "microvm") => Some(255),
        (Arch::Aarch64, "virt") if gic(machine) == "3" => Some(512),
        (Arch::Aarch64, "virt") if gic(machine) == "2" => Some(8),
        _ => None,
    }
}

/// Version 2 is what QEMU takes when nothing is said.
#[cfg(test)]
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
    fn the_tables_machines_are_known() {
        assert_eq!(max_cpus(Arch::X86_64, "q35,hpet=off"), Some(255));
        assert_eq!(max_cpus(Arch::Aarch64, "virt,gic-version=3"), Some(512));
        assert_eq!(max_cpus(Arch::Aarch64, "virt"), Some(8));
        assert_eq!(max_cpus(Arch::Aarch64, "virt,gic-version=max"), None);
        assert_eq!(max_cpus(Arch::I386, "isapc"), None);
    }

    /// What QEMU answers, as far as it is read, with and without an x2APIC.
    fn answers(x2apic: bool) -> String {
        format!(
            r#"{{"QMP": {{}}}}
{{"return": {{}}}}
{{"return": [{{"name": "isapc", "cpu-max": 1}}, {{"name": "pc-q35-7.2", "alias": "q35", "cpu-max": 288}}]}}
{{"return": {{"model": {{"name": "max", "props": {{"x2apic": {x2apic}}}}}}}}}
{{"return": {{}}}}
"#
        )
    }

    #[test]
    fn qemu_says_how_many_cpus_a_machine_takes() {
        let of = |x2apic, arch, name| read(&answers(x2apic), arch, name).unwrap();
        let most = |x2apic, arch, name| of(x2apic, arch, name).map(|limit| limit.cpus);
        assert_eq!(most(true, Arch::X86_64, "q35"), Some(288));
        assert_eq!(most(true, Arch::X86_64, "pc-q35-7.2"), Some(288));
        assert_eq!(most(false, Arch::I386, "q35"), Some(255));
        assert!(of(false, Arch::X86_64, "q35").unwrap().why.contains("no x2APIC"));
        assert_eq!(most(false, Arch::X86_64, "isapc"), Some(1));
        assert_eq!(most(true, Arch::X86_64, "z80"), None);
        assert_eq!(read("", Arch::X86_64, "q35"), None);
    }
}
