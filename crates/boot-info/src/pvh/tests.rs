use zerocopy::IntoBytes;

use super::*;
use crate::testing::{Ram, XorShift};

const INFO: u64 = 0x2000;
const MEMMAP: u64 = 0x2100;
const MODULES: u64 = 0x2200;
const CMDLINE: u64 = 0x2300;

fn entry(addr: u64, size: u64, kind: u32) -> MemmapEntry {
    MemmapEntry {
        addr: addr.into(),
        size: size.into(),
        kind: kind.into(),
        reserved: 0.into(),
    }
}

fn machine(version: u32) -> Ram {
    let mut ram = Ram::new(0x1000, 0x4000);
    let v0 = StartInfo {
        magic: MAGIC.into(),
        version: version.into(),
        flags: 0.into(),
        nr_modules: 1.into(),
        modlist_paddr: MODULES.into(),
        cmdline_paddr: CMDLINE.into(),
        rsdp_paddr: 0xf_0000.into(),
    };
    let v1 = StartInfoV1 {
        v0,
        memmap_paddr: MEMMAP.into(),
        memmap_entries: 3.into(),
        reserved: 0.into(),
    };
    ram.write(INFO, v1.as_bytes());
    let map = [
        entry(0, 0x9_fc00, 1),
        entry(0x10_0000, 0x700_0000, 1),
        entry(0, 0, 0),
    ];
    ram.write(MEMMAP, map.as_bytes());
    let module = Module {
        paddr: 0x600_0000.into(),
        size: 0x1000.into(),
        cmdline_paddr: 0.into(),
        reserved: 0.into(),
    };
    ram.write(MODULES, module.as_bytes());
    ram.write(CMDLINE, b"nr_cpus=2\0");
    ram
}

fn read(ram: &Ram) -> (BootInfo, Result<(), Error>) {
    let mut out = BootInfo::EMPTY;
    let result = fill(INFO, &|at, len| ram.get(at, len), &mut out);
    (out, result)
}

#[test]
fn version_1_is_complete() {
    let (out, result) = read(&machine(1));
    assert_eq!(result, Ok(()));
    assert_eq!((out.loader.name(), out.loader.version), ("pvh", 1));
    assert_eq!(out.cmdline.as_str(), "nr_cpus=2");
    assert_eq!(out.memory.regions().len(), 2, "the empty last entry is skipped");
    assert_eq!(out.initrd, Initrd::Present(0x600_0000..0x600_1000));
    assert_eq!(out.rsdp, Some(0xf_0000));
}

#[test]
fn version_0_has_no_map_and_so_no_initrd() {
    let (out, result) = read(&machine(0));
    assert_eq!(result, Err(Error::NoMemoryMap));
    assert_eq!(out.cmdline.as_str(), "nr_cpus=2");
    assert!(matches!(out.initrd, Initrd::Refused { .. }));
}

/// A map of 300 reserved pages and some RAM.
fn many(count: u32) -> Ram {
    let mut ram = Ram::new(0x1000, 0x10_0000);
    ram.write(0x1000, machine(1).get(0x1000, 0x4000).unwrap());
    let mut map = vec![entry(0x10_0000, 0x1000_0000, 1)];
    map.extend((0..300).map(|i| entry(0x400_0000 + i * 0x2000, 0x1000, 2)));
    let at = 0x1_0000;
    ram.write(at, map.as_bytes());
    ram.write(INFO + 40, &at.to_le_bytes());
    ram.write(INFO + 48, &count.to_le_bytes());
    ram
}

#[test]
fn none_of_300_claims_is_lost() {
    let ram = many(301);
    let (out, result) = read(&ram);
    assert_eq!(result, Ok(()));
    assert!((0..300).all(|i| {
        let at = 0x400_0000 + i * 0x2000;
        !out.memory.is_free(&(at..at + 0x1000))
    }));
    let mut all = Vec::new();
    regions(INFO, &|at, len| ram.get(at, len), &mut |r| all.push(r)).unwrap();
    assert_eq!((all.len(), all[300].start), (301, 0x400_0000 + 299 * 0x2000));
}

#[test]
fn a_map_that_cannot_be_read_to_its_end_is_refused() {
    for count in [0x10_0000 / 24, MAX_ENTRIES + 1, u32::MAX] {
        assert_eq!(read(&many(count)).1, Err(Error::BadMemoryMap), "{count}");
    }
}

#[test]
fn wrong_place_and_wrong_magic() {
    let mut ram = machine(1);
    assert_eq!(
        fill(
            0x10_0000,
            &|at, len| ram.get(at, len),
            &mut BootInfo::EMPTY.clone()
        ),
        Err(Error::Unmapped)
    );
    ram.at_mut(INFO, 1)[0] ^= 1;
    assert_eq!(read(&ram).1, Err(Error::BadMagic));
}

#[test]
fn mutants_neither_panic_nor_hang() {
    let mut rng = XorShift(0x9e37);
    for _ in 0..20_000 {
        let mut ram = machine(1);
        rng.damage(ram.at_mut(INFO + 4, 0x320), 6);
        let (out, _) = read(&ram);
        assert!(out.memory.regions().len() <= crate::MAX_REGIONS);
    }
}

#[test]
fn maps_of_every_odd_kind_lose_no_claim() {
    for (name, _) in odd_tables::pvh::KINDS {
        for seed in odd_tables::seed()..odd_tables::seed() + 8 {
            let odd = odd_tables::pvh::by_name(name, seed).unwrap();
            let entries: Vec<_> = odd
                .map
                .iter()
                .map(|&(start, len, kind)| entry(start, len, kind))
                .collect();
            let mut ram = Ram::new(0x1000, 0x10_0000);
            ram.write(0x1000, machine(1).get(0x1000, 0x4000).unwrap());
            ram.write(0x1_0000, entries.as_bytes());
            ram.write(INFO + 40, &0x1_0000u64.to_le_bytes());
            ram.write(INFO + 48, &odd.count.to_le_bytes());
            let (out, result) = read(&ram);
            assert_eq!(result.is_err(), odd.refused, "{name}, TABLES_SEED={seed:#x}");
            for range in &odd.held {
                assert!(
                    !out.memory.is_free(range),
                    "{name}, TABLES_SEED={seed:#x}: {range:x?}"
                );
            }
        }
    }
}
