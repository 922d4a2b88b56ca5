use zerocopy::IntoBytes;

use super::*;
use crate::testing::{Ram, XorShift};

const CMDLINE: u64 = 0x9_8000;
const EXTRA: u64 = 0xa_0000;

fn e820(addr: u64, size: u64, kind: u32) -> layout::E820Entry {
    layout::E820Entry {
        addr: addr.into(),
        size: size.into(),
        kind: kind.into(),
    }
}

fn node(next: u64, kind: u32, payload: &[u8]) -> Vec<u8> {
    let head = layout::SetupDataHead {
        next: next.into(),
        kind: kind.into(),
        len: (payload.len() as u32).into(),
    };
    [head.as_bytes(), payload].concat()
}

fn params() -> Box<BootParams> {
    let mut p = Box::new(BootParams::read_from_bytes(&[0; SIZE]).unwrap());
    p.hdr.header = *b"HdrS";
    p.hdr.version = 0x20f.into();
    p.hdr.type_of_loader = 0xb0;
    p.hdr.cmd_line_ptr = (CMDLINE as u32).into();
    p.hdr.setup_data = EXTRA.into();
    p.e820_entries = 3;
    p.e820_table[0] = e820(0, 0x9_fc00, 1);
    p.e820_table[1] = e820(0x10_0000, 0x3ff0_0000, 1);
    p.e820_table[2] = e820(0x4000_0000, 0x1000, 2);
    p.hdr.ramdisk_image = 0x2000_0000.into();
    p.hdr.ramdisk_size = 0x1234.into();
    p.acpi_rsdp_addr = 0xf_5000.into();
    p
}

fn machine() -> Ram {
    let mut ram = Ram::new(0, 0x10_0000);
    ram.write(CMDLINE, b"quiet run=\"a b\"\0junk");
    let ext = [
        e820(0x1_0000_0000, 0x8000_0000, 1),
        e820(0x2_0000_0000, 0x1000, 20),
    ];
    ram.write(EXTRA, &node(EXTRA + 0x100, 1, ext.as_bytes()));
    ram.write(EXTRA + 0x100, &node(EXTRA + 0x200, 9, &[7; 32]));
    ram.write(EXTRA + 0x200, &node(EXTRA, 2, &[0; 8]));
    ram
}

fn read(p: &BootParams, ram: &Ram) -> (BootInfo, Result<(), Error>) {
    let mut out = BootInfo::EMPTY;
    let result = fill(p.as_bytes(), &|at, len| ram.get(at, len), &mut out);
    (out, result)
}

#[test]
fn a_whole_machine() {
    let (out, result) = read(&params(), &machine());
    assert_eq!(result, Ok(()));
    assert_eq!((out.loader.name(), out.loader.version), ("QEMU", 0x20f));
    assert_eq!(out.cmdline.as_str(), "quiet run=\"a b\"");
    assert_eq!(out.initrd, Initrd::Present(0x2000_0000..0x2000_1234));
    assert_eq!(out.rsdp, Some(0xf_5000));
    assert_eq!(out.fdt, Some(EXTRA + 0x210));
    // The list above is a cycle, so its nodes are seen again and again until the limit.
    assert_eq!(out.seed.bytes().len(), crate::Seed::CAPACITY);
    assert!(
        out.memory
            .regions()
            .iter()
            .any(|r| r.start == 0x1_0000_0000 && r.kind == MemKind::Usable)
    );
    assert!(out.memory.regions().iter().any(|r| r.kind == MemKind::Other(20)));
}

#[test]
fn none_of_300_claims_is_lost_and_none_that_cannot_be_read() {
    let mut ram = Ram::new(0, 0x10_0000);
    let claims: Vec<_> = (0..300)
        .map(|i| e820(0x400_0000 + i * 0x2000, 0x1000, 2))
        .collect();
    let bytes: Vec<u8> = claims.iter().flat_map(|e| e.as_bytes().to_vec()).collect();
    ram.write(EXTRA, &node(0, 1, &bytes));
    let (out, result) = read(&params(), &ram);
    assert_eq!(result, Ok(()));
    assert!((0..300).all(|i| {
        let at = 0x400_0000 + i * 0x2000;
        !out.memory.is_free(&(at..at + 0x1000))
    }));
    let mut count = 0;
    regions(params().as_bytes(), &|at, len| ram.get(at, len), &mut |_| {
        count += 1
    })
    .unwrap();
    assert_eq!(count, 303);
    let long = layout::SetupDataHead {
        next: 0.into(),
        kind: 1.into(),
        len: 0x10_0000.into(),
    };
    ram.write(EXTRA, long.as_bytes());
    assert_eq!(read(&params(), &ram).1, Err(Error::BadMemoryMap));
}

#[test]
fn initrd_needs_loader_address_and_size() {
    let why = |edit: fn(&mut BootParams)| {
        let mut p = params();
        edit(&mut p);
        match read(&p, &machine()).0.initrd {
            Initrd::Refused { why, .. } => Some(why),
            _ => None,
        }
    };
    assert_eq!(why(|_| ()), None);
    assert_eq!(why(|p| p.hdr.type_of_loader = 0), Some(InitrdRefusal::NoLoader));
    assert_eq!(
        why(|p| p.hdr.ramdisk_image = 0.into()),
        Some(InitrdRefusal::NoAddress)
    );
    assert_eq!(
        why(|p| p.hdr.ramdisk_size = 0.into()),
        Some(InitrdRefusal::NoSize)
    );
    assert_eq!(
        why(|p| p.ext_ramdisk_image = 1.into()),
        None,
        "4 GiB + 512 MiB is RAM"
    );
    assert_eq!(
        why(|p| p.ext_ramdisk_image = 9.into()),
        Some(InitrdRefusal::NotRam)
    );
    assert_eq!(
        why(|p| p.hdr.ramdisk_image = 0x3fff_f000.into()),
        Some(InitrdRefusal::NotRam)
    );
    let wrap = |p: &mut BootParams| {
        (p.ext_ramdisk_image, p.ext_ramdisk_size) = (u32::MAX.into(), u32::MAX.into());
    };
    assert_eq!(why(wrap), Some(InitrdRefusal::Wraps));
}

#[test]
fn errors_are_told_apart() {
    let mut p = params();
    assert_eq!(
        fill(&[0; SIZE - 1], &|_, _| None, &mut BootInfo::EMPTY.clone()),
        Err(Error::TooShort)
    );
    (p.e820_entries, p.hdr.setup_data) = (0, 0.into());
    let (out, result) = read(&p, &machine());
    assert_eq!(
        (result, out.cmdline.as_str()),
        (Err(Error::NoMemoryMap), "quiet run=\"a b\"")
    );
    p.hdr.header = *b"HdrX";
    assert_eq!(read(&p, &machine()).1, Err(Error::BadMagic));
}

#[test]
fn a_bios_without_e820_is_believed_about_the_size() {
    let regions = |ext: u16, alt: u32| {
        let mut p = params();
        (p.e820_entries, p.hdr.setup_data) = (0, 0.into());
        (p.ext_mem_k, p.alt_mem_k) = (ext.into(), alt.into());
        let (out, result) = read(&p, &machine());
        assert_eq!(result, Ok(()));
        let regions = out.memory.regions().iter();
        regions.map(|r| (r.start, r.end(), r.kind)).collect::<Vec<_>>()
    };
    let low = (0, 0x9_f000, MemKind::Usable);
    assert_eq!(regions(7 << 10, 0), [low, (1 << 20, 8 << 20, MemKind::Usable)]);
    assert_eq!(
        regions(u16::MAX, 127 << 10),
        [low, (1 << 20, 128 << 20, MemKind::Usable)]
    );
}

#[test]
fn an_unmapped_command_line_is_cut_not_lost() {
    let mut ram = Ram::new(0, 0x9_9000);
    ram.write(0x9_8ff0, &[b'y'; 16]);
    let mut p = params();
    p.hdr.cmd_line_ptr = 0x9_8ff0.into();
    let (out, _) = read(&p, &ram);
    assert_eq!((out.cmdline.as_str().len(), out.cmdline.truncated()), (16, true));
}

#[test]
fn mutants_neither_panic_nor_hang() {
    let (whole, ram) = (params(), machine());
    let mut rng = XorShift(0x5eed);
    for _ in 0..20_000 {
        let mut bytes = vec![0; SIZE];
        bytes.copy_from_slice(whole.as_bytes());
        rng.damage(&mut bytes[0x70..0xcd0], 6);
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        let _ = fill(&bytes, &|at, len| ram.get(at, len), &mut BootInfo::EMPTY.clone());
    }
    for _ in 0..2_000 {
        let mut bytes = vec![0; SIZE];
        rng.fill(&mut bytes);
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        let _ = fill(&bytes, &|at, len| ram.get(at, len), &mut BootInfo::EMPTY.clone());
    }
}

#[test]
fn a_damaged_list_ends() {
    let (p, mut rng) = (params(), XorShift(0xbad));
    for _ in 0..5_000 {
        let mut ram = machine();
        rng.damage(ram.at_mut(EXTRA, 0x300), 8);
        let (out, _) = read(&p, &ram);
        assert!(out.memory.regions().len() <= crate::MAX_REGIONS);
    }
}
