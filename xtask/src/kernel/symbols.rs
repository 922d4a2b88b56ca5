//! Looks for code of the SMP build in a kernel: a UP kernel must have none.

use super::elf::Elf;

/// The symbols of `elf` that exist only for more than one CPU: what lies in a Rust module called `smp`, and what
/// assembly calls `smp_something`.
pub fn smp_only(elf: &Elf) -> Vec<String> {
    those(elf, is_smp)
}

/// The symbols of `elf` that stage faults: only a kernel that was built for it may have any.
pub fn faults(elf: &Elf) -> Vec<String> {
    those(elf, |name| {
        name.contains("::inject::") || name.contains("::staging::") || name == "INJECT_EARLY"
    })
}

fn those(elf: &Elf, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let names = elf
        .symbols
        .iter()
        .map(|(name, _)| format!("{:#}", rustc_demangle::demangle(name)));
    let mut names: Vec<String> = names.filter(|name| wanted(name)).collect();
    names.sort();
    names.dedup();
    names
}

fn is_smp(name: &str) -> bool {
    name.contains("::smp::") || (name.starts_with("smp_") && !name.contains("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_assembly_are_told_from_look_alikes() {
        assert!(is_smp("kernel::smp::bring_up::start_all"));
        assert!(is_smp("<kernel::smp::Gate as core::fmt::Debug>::fmt"));
        assert!(is_smp("smp_trampoline_start"));
        assert!(!is_smp("kernel::start::smp_setup_processor_id"));
        assert!(!is_smp("smp_stop::word::CpuState::load"));
        assert!(!is_smp("kernel::smpx::f"));
    }
}
