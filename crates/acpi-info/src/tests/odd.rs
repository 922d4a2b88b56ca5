//! Oddities of every kind, with many seeds.

use super::support::Machine;
use crate::AcpiInfo;

/// Seeds that every run takes, and one of its own.
fn seeds() -> impl Iterator<Item = u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let own = now.map_or(1, |now| now.as_nanos() as u64);
    (0..20).map(|n| odd_tables::seed() + n).chain([own])
}

fn read(odd: &odd_tables::acpi::Odd) -> Box<AcpiInfo> {
    let mut machine = Machine::default();
    for (table, n) in odd.tables.iter().zip(0u64..) {
        machine.chunks.insert(0x10_0000 * (n + 1), table.clone());
    }
    machine.finish().read()
}

#[test]
fn there_are_some_forty_kinds() {
    assert!(
        odd_tables::acpi::KINDS.len() >= 40,
        "{}",
        odd_tables::acpi::KINDS.len()
    );
}

#[test]
fn each_kind_is_read_and_said_as_is_right() {
    for (name, _) in odd_tables::acpi::KINDS {
        for seed in seeds() {
            let odd = odd_tables::acpi::odd(name, seed).unwrap();
            let info = read(&odd);
            let what = format!("{name}, TABLES_SEED={seed:#x}");
            let mut cpus: Vec<u64> = info.startable().map(|cpu| cpu.hw_id).collect();
            if odd.cpus.is_sorted() {
                cpus.sort_unstable();
            }
            assert_eq!(cpus, odd.cpus, "{what}");
            let said: Vec<String> = info.oddities().map(|oddity| oddity.to_string()).collect();
            assert_eq!(said.len(), odd.says.len(), "{what}: {said:?}");
            for says in &odd.says {
                assert!(said.iter().any(|said| said.contains(says)), "{what}: {said:?}");
            }
            assert_eq!(info.has_unknown_cpus(), odd.unknown, "{what}");
        }
    }
}

/// What is right of one kind is wrong of another: the test above can tell them apart.
#[test]
fn no_two_kinds_of_fault_are_said_alike() {
    let said = |name| {
        let odd = odd_tables::acpi::odd(name, odd_tables::SEED).unwrap();
        let info = read(&odd);
        info.oddities()
            .map(|oddity| oddity.to_string())
            .collect::<Vec<_>>()
    };
    let faults = [
        "usual",
        "no-length",
        "too-long",
        "short-cpu",
        "disabled",
        "again",
        "id-of-all",
        "no-madt",
        "no-fields",
    ];
    for (n, one) in faults.iter().enumerate() {
        for other in &faults[..n] {
            assert_ne!(said(one), said(other), "{one} and {other}");
        }
    }
}
