use proptest::prelude::*;

use super::*;
use crate::testing::Ram;
use crate::{EfiInfo, MemKind, MemMap, MemRegion, present::Present};

const BASE: u64 = 0x10_0000;

fn info(size: u32, stride: u32) -> EfiInfo {
    EfiInfo {
        is_64bit: true,
        system_table: BASE,
        memory_map: BASE,
        memory_map_size: size,
        descriptor_size: stride,
        descriptor_version: 1,
        present: Present::Yes,
    }
}

/// Kind, start, pages, attributes.
type Entry = (MemoryType, u64, u64, MemoryAttribute);

const WB: MemoryAttribute = MemoryAttribute::WRITE_BACK;
const RT: MemoryAttribute = MemoryAttribute::WRITE_BACK.union(MemoryAttribute::RUNTIME);

fn ram_with(entries: &[Entry], stride: usize) -> Ram {
    let mut ram = Ram::new(BASE, 0x1_0000);
    for ((kind, start, pages, attributes), n) in entries.iter().zip(0u64..) {
        let at = BASE + n * stride as u64;
        ram.write(at, &kind.0.to_le_bytes());
        ram.write(at + 8, &start.to_le_bytes());
        ram.write(at + 24, &pages.to_le_bytes());
        ram.write(at + 32, &attributes.bits().to_le_bytes());
    }
    ram
}

fn regions(entries: &[Entry]) -> Vec<MemRegion> {
    let ram = ram_with(entries, 48);
    let map = MemoryMap::of(&info(entries.len() as u32 * 48, 48), &|at, len| ram.get(at, len)).unwrap();
    let mut memory = MemMap::EMPTY;
    map.regions(&mut |start, len, kind| memory.push(start, len, kind));
    memory.regions().to_vec()
}

fn region(start: u64, len: u64, kind: MemKind) -> MemRegion {
    MemRegion { start, len, kind }
}

#[test]
fn what_boot_services_leave_is_ram_and_neighbours_are_one() {
    let found = regions(&[
        (MemoryType::BOOT_SERVICES_CODE, 0, 1, WB),
        (MemoryType::CONVENTIONAL, 0x1000, 0x9f, WB),
        (MemoryType::RUNTIME_SERVICES_DATA, 0x10_0000, 4, RT),
        (MemoryType::LOADER_DATA, 0x10_4000, 2, WB),
        (MemoryType::ACPI_RECLAIM, 0x10_6000, 1, WB),
        (MemoryType::ACPI_NON_VOLATILE, 0x10_7000, 1, WB),
        (MemoryType::MMIO, 0xffc0_0000, 0x400, MemoryAttribute::RUNTIME),
    ]);
    let expected = [
        region(0, 0xa_0000, MemKind::Usable),
        region(0x10_0000, 0x4000, MemKind::Reserved),
        region(0x10_4000, 0x2000, MemKind::Usable),
        region(0x10_6000, 0x1000, MemKind::AcpiReclaim),
        region(0x10_7000, 0x1000, MemKind::AcpiNvs),
        region(0xffc0_0000, 0x40_0000, MemKind::Reserved),
    ];
    assert_eq!(found, expected);
}

#[test]
fn ram_that_is_not_like_other_ram_is_left_alone() {
    let special = WB | MemoryAttribute::SPECIAL_PURPOSE;
    let found = regions(&[
        (MemoryType::CONVENTIONAL, 0x1000, 1, MemoryAttribute::UNCACHEABLE),
        (MemoryType::CONVENTIONAL, 0x3000, 1, special),
        (MemoryType::LOADER_CODE, 0x5000, 1, RT),
        (MemoryType(0x7000_0000), 0x7000, 1, WB),
    ]);
    assert!(found.iter().all(|r| r.kind == MemKind::Reserved), "{found:?}");
    assert_eq!(found.len(), 4);
}

#[test]
fn descriptors_that_make_no_sense_are_left_out_and_counted() {
    let entries = [
        (MemoryType::CONVENTIONAL, 0x1000, 0, WB),
        (MemoryType::CONVENTIONAL, 0x1001, 1, WB),
        (MemoryType::CONVENTIONAL, u64::MAX - 0xfff, 2, WB),
        (MemoryType::CONVENTIONAL, 0x1000, 1 << 52, WB),
        (MemoryType::CONVENTIONAL, 0x1000, u64::MAX, WB),
        (MemoryType::CONVENTIONAL, 0x8000, 1, WB),
    ];
    let ram = ram_with(&entries, 40);
    // Seven and a half.
    let map = MemoryMap::of(&info(7 * 40 + 20, 40), &|at, len| ram.get(at, len)).unwrap();
    assert_eq!(map.bad(), 6, "the seventh is all zeros");
    assert_eq!(map.iter().map(|d| d.start).collect::<Vec<_>>(), [0x8000]);
}

#[test]
fn maps_that_cannot_be_are_refused() {
    let ram = Ram::new(BASE, 0x1_0000);
    let read = |size, stride| MemoryMap::of(&info(size, stride), &|at, len| ram.get(at, len)).map(drop);
    for stride in [0, 8, 39, 41, 44, 1032, u32::MAX] {
        assert_eq!(read(480, stride), Err(Error::DescriptorSize), "{stride}");
    }
    assert_eq!(read(0, 40), Err(Error::MapSize));
    assert_eq!(read(39, 40), Err(Error::MapSize));
    assert_eq!(read(u32::MAX, 40), Err(Error::MapSize));
    assert_eq!(read(0x1_0008, 40), Err(Error::NotMapped));
    assert_eq!(read(0x1_0000, 40), Ok(()));
}

/// A system table of either width, with two configuration tables and the runtime services behind it.
fn firmware(is_64bit: bool) -> Ram {
    let word = if is_64bit { 8 } else { 4 };
    let mut ram = Ram::new(BASE, 0x4000);
    let put = |ram: &mut Ram, at: u64, value: u64| ram.write(at, &value.to_le_bytes()[..word as usize]);
    ram.write(BASE, b"IBI SYST");
    ram.write(BASE + 8, &0x0002_0046_u32.to_le_bytes());
    ram.write(BASE + 12, &120_u32.to_le_bytes());
    put(&mut ram, BASE + 24 + 8 * word, BASE + 0x1000);
    put(&mut ram, BASE + 24 + 10 * word, 2);
    put(&mut ram, BASE + 24 + 11 * word, BASE + 0x2000);
    ram.write(BASE + 0x1000, b"RUNTSERV");
    ram.write(BASE + 0x1000 + 12, &136_u32.to_le_bytes());
    for n in 0..14 {
        put(
            &mut ram,
            BASE + 0x1000 + 24 + n * word,
            if n == 3 { 0 } else { 0x7000 + n },
        );
    }
    for (guid, at, n) in [
        (guids::ACPI_20, 0xdead_0000, 0),
        (guids::RT_PROPERTIES, BASE + 0x3000, 1),
    ] {
        let entry = BASE + 0x2000 + n * (16 + word);
        ram.write(entry, &guid.to_bytes());
        put(&mut ram, entry + 16, at);
    }
    ram.write(BASE + 0x3000, &[1, 0, 8, 0, 0x11, 4, 0, 0]);
    ram
}

#[test]
fn tables_of_both_widths_are_read() {
    for is_64bit in [false, true] {
        let ram = firmware(is_64bit);
        let phys = |at, len| ram.get(at, len);
        let info = EfiInfo {
            is_64bit,
            ..info(0, 0)
        };
        let table = SystemTable::of(&info, &phys).unwrap();
        assert_eq!((table.revision, table.runtime), (0x0002_0046, BASE + 0x1000));
        let tables = table.configuration(&phys).unwrap();
        assert_eq!(tables.rsdp(), Some(0xdead_0000));
        assert_eq!(tables.find(guids::MEMORY_ATTRIBUTES), None);
        let services = tables.runtime_services(&phys);
        assert_ne!(services & Service::ResetSystem.mask(), 0);
        assert_eq!(services & Service::GetVariable.mask(), 0);
        let runtime = table.runtime_table(&phys).unwrap();
        assert_eq!(runtime.get(Service::ResetSystem), Some(0x700a));
        assert_eq!(runtime.get(Service::SetWakeupTime), None);
    }
}

#[test]
fn damaged_tables_are_refused() {
    let info = info(0, 0);
    let broken = |at: u64, bytes: &[u8]| {
        let mut ram = firmware(true);
        ram.write(BASE + at, bytes);
        let phys = |at, len| ram.get(at, len);
        let table = SystemTable::of(&info, &phys)?;
        table.configuration(&phys)?;
        table.runtime_table(&phys).map(drop)
    };
    assert_eq!(broken(0, b"IBI"), Ok(()));
    assert_eq!(broken(0, b"X"), Err(Error::Signature));
    assert_eq!(broken(12, &[24, 0]), Err(Error::TableSize));
    assert_eq!(broken(24 + 64, &[0xff; 8]), Err(Error::NotMapped));
    assert_eq!(broken(24 + 88, &[0xff; 8]), Err(Error::NotMapped));
    assert_eq!(broken(0x1000, b"X"), Err(Error::Signature));
    assert_eq!(broken(0x1000 + 12, &[100]), Err(Error::TableSize));
}

#[test]
fn attributes_name_code_and_data() {
    let mut ram = ram_with(&[], 48);
    ram.write(BASE, &[1, 0, 0, 0, 1, 0, 0, 0, 48, 0, 0, 0]);
    let code = ram_with(
        &[(
            MemoryType::RUNTIME_SERVICES_CODE,
            0x5000,
            2,
            MemoryAttribute::READ_ONLY,
        )],
        48,
    );
    ram.write(BASE + 16, code.get(BASE, 48).unwrap());
    let found = MemoryAttributes::read(BASE, &|at, len| ram.get(at, len)).unwrap();
    let found: Vec<_> = found.iter().map(|d| (d.range(), d.attributes)).collect();
    assert_eq!(found, [(0x5000..0x7000, MemoryAttribute::READ_ONLY)]);
    ram.write(BASE + 8, &[39]);
    assert!(MemoryAttributes::read(BASE, &|at, len| ram.get(at, len)).is_none());
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0x400),
        size in any::<u32>(),
        stride in prop_oneof![0..200u32, any::<u32>()],
        is_64bit: bool,
        signed: bool,
    ) {
        let mut ram = Ram::new(BASE, 0x400);
        ram.write(BASE, &bytes);
        if signed {
            ram.write(BASE, b"IBI SYST");
            ram.write(BASE + 24 + if is_64bit { 88 } else { 44 }, &(BASE as u32).to_le_bytes());
        }
        let phys = |at, len| ram.get(at, len);
        let info = EfiInfo { is_64bit, memory_map_size: size % 0x800, ..info(0, stride) };
        if let Ok(map) = MemoryMap::of(&info, &phys) {
            for d in map.iter() {
                prop_assert!(d.start < d.end && d.start % 4096 == 0 && d.end % 4096 == 0);
            }
            let mut memory = MemMap::EMPTY;
            map.regions(&mut |start, len, kind| memory.push(start, len, kind));
            prop_assert!(memory.regions().iter().all(|r| r.len != 0));
        }
        if let Ok(table) = SystemTable::of(&info, &phys) {
            let _ = table.runtime_table(&phys);
            if let Ok(tables) = table.configuration(&phys) {
                let _ = tables.runtime_services(&phys);
                let _ = tables.memory_attributes(&phys);
            }
        }
    }

    #[test]
    fn overlapping_maps_lose_no_claim(
        starts in prop::collection::vec((0..64u64, 1..16u64, 0..15u32), 1..40),
    ) {
        let entries: Vec<Entry> = starts
            .iter()
            .map(|&(start, pages, kind)| (MemoryType(kind), start << 12, pages, WB))
            .collect();
        let mut memory = MemMap::EMPTY;
        let ram = ram_with(&entries, 48);
        let map = MemoryMap::of(&info(entries.len() as u32 * 48, 48), &|at, len| ram.get(at, len)).unwrap();
        map.regions(&mut |start, len, kind| memory.push(start, len, kind));
        let mut memblock: crate::Memblock = crate::Memblock::new();
        memblock.add_map(&memory).unwrap();
        for d in map.iter().filter(|d| d.mem_kind() != MemKind::Usable) {
            for page in d.range().step_by(4096) {
                prop_assert!(!memblock.is_memory(page, 4096), "{page:#x}");
            }
        }
    }
}
