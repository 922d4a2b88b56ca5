//! Oddities of every kind, with many seeds.

use odd_tables::tree::{BLOB_AT, Odd, kinds, odd};

use super::blobs::{Read, read};

/// Seeds that every run takes, and one of its own.
fn seeds() -> impl Iterator<Item = u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let own = now.map_or(1, |now| now.as_nanos() as u64);
    (0..8).map(|n| odd_tables::seed() + n).chain([own])
}

/// What is wrong with what was read.
fn wrong(odd: &Odd, read: &Read) -> Option<String> {
    let error = read.result.err().map(|error| error.to_string());
    if error.as_deref() != odd.error {
        return Some(format!("{error:?}"));
    }
    if error.is_some() {
        return None;
    }
    let (boot, info) = (&read.boot, &read.info);
    let mut cpus: Vec<u64> = info.cpus.iter().map(|cpu| cpu.hw_id).collect();
    cpus.sort_unstable();
    let frequency = info.timer.and_then(|timer| timer.frequency());
    let gic = info
        .gic
        .as_ref()
        .and_then(|gic| gic.distributor())
        .map(|at| at.base);
    let console = boot.console.map(|console| console.base);
    let found = (cpus, info.cpus_bad, info.cpus_disabled, frequency, gic, console);
    let right = (
        odd.cpus.clone(),
        odd.bad,
        odd.disabled,
        odd.frequency,
        odd.gic,
        odd.console,
    );
    if found != right {
        return Some(format!("{found:x?}, not {right:x?}"));
    }
    let taken = odd.free.iter().find(|range| !boot.memory.is_free(range));
    let given = odd.held.iter().find(|range| {
        let mut pages = (range.start..range.end).step_by(0x1000);
        pages.any(|at| boot.memory.is_free(&(at..at + 1)))
    });
    taken
        .map(|range| format!("{range:x?} is not free"))
        .or(given.map(|range| format!("{range:x?} is given out")))
}

#[test]
fn there_are_some_sixty_kinds() {
    assert!(kinds().count() >= 60, "{}", kinds().count());
}

#[test]
fn each_kind_is_read_as_is_right() {
    assert_eq!(BLOB_AT, super::blobs::AT);
    for (name, _) in kinds() {
        for seed in seeds() {
            let odd = odd(name, seed, "quiet").unwrap();
            assert_eq!(
                wrong(&odd, &read(&odd.blob)),
                None,
                "{name}, TABLES_SEED={seed:#x}"
            );
        }
    }
}

/// What is read of one tree is wrong for another: the test above can tell them apart.
#[test]
fn what_is_right_of_one_kind_is_wrong_of_others() {
    let make = |name| odd(name, odd_tables::SEED, "quiet").unwrap();
    let usual = read(&make("usual").blob);
    let others = kinds().map(|(name, _)| make(name));
    let wrong = others.filter(|odd| wrong(odd, &usual).is_some()).count();
    assert!(wrong >= 30, "{wrong}");
}
