//! Trees of a virtual machine in several shapes.

use super::blobs::{AT, fixture, read};
use crate::{Console, ConsoleKind, Initrd, MemKind, fdt::*, present::Present};

const PPI: fn(u32) -> Option<Interrupt> = |n| {
    Some(Interrupt {
        intid: 16 + n,
        edge: false,
    })
};

#[test]
fn gicv3_with_everything() {
    let r = read(&fixture("v3"));
    assert_eq!(r.result, Ok(()));
    assert_eq!(
        (r.boot.loader.name(), r.boot.loader.version, r.boot.fdt),
        ("device tree", 17, Some(AT))
    );
    assert_eq!(r.boot.cmdline.as_str(), r#"console=ttyAMA0 run="cpus;poweroff""#);
    assert_eq!(r.boot.initrd, Initrd::Present(0x4800_0000..0x4800_2000));
    assert_eq!(
        r.boot.seed.bytes().len(),
        40,
        "32 bytes of rng-seed, 8 of kaslr-seed"
    );
    assert_eq!(r.boot.memory.usable_bytes(), 256 << 20);
    assert!(
        r.boot
            .memory
            .regions()
            .iter()
            .any(|m| m.start == AT && m.kind == MemKind::ReservedRam)
    );

    let cpus: Vec<_> = r.info.cpus.iter().map(|c| (c.hw_id, c.enable)).collect();
    assert_eq!(cpus, [0, 1, 2, 3].map(|id| (id, EnableMethod::Psci)));
    let psci = r.info.psci.unwrap();
    assert_eq!(
        (psci.conduit, psci.version, psci.ids.cpu_on),
        (Conduit::Hvc, (1, 0), Some(0xc400_0003))
    );
    let gic = r.info.gic.unwrap();
    assert_eq!((gic.version, gic.cpu_interface()), (GicVersion::V3, None));
    assert_eq!(
        gic.distributor(),
        Some(Region {
            base: 0x800_0000,
            len: 0x1_0000
        })
    );
    assert_eq!(
        gic.redistributors(),
        [Region {
            base: 0x80a_0000,
            len: 0xf6_0000
        }]
    );
    let timer = r.info.timer.unwrap();
    assert_eq!((timer.secure, timer.physical), (PPI(13), PPI(14)));
    assert_eq!((timer.virt, timer.hypervisor), (PPI(11), PPI(10)));
    let console = Console {
        kind: ConsoleKind::Pl011,
        base: 0x900_0000,
        len: 0x1000,
        reg_shift: 0,
        baud: None,
        present: Present::Yes,
    };
    assert_eq!(r.boot.console, Some(console));
    assert_eq!(
        r.info.uart.unwrap().interrupt,
        Some(Interrupt {
            intid: 33,
            edge: false
        })
    );
}

#[test]
fn gicv2() {
    let r = read(&fixture("v2"));
    let gic = r.info.gic.unwrap();
    assert_eq!((gic.version, gic.redistributors()), (GicVersion::V2, &[][..]));
    assert_eq!(
        gic.cpu_interface(),
        Some(Region {
            base: 0x801_0000,
            len: 0x1_0000
        })
    );
    assert_eq!(
        (r.boot.initrd.clone(), r.boot.cmdline.as_str()),
        (Initrd::Absent, "")
    );
}

#[test]
fn secure_world_keeps_its_memory_and_uart() {
    let r = read(&fixture("secure"));
    assert_eq!(r.info.psci.map(|p| p.conduit), Some(Conduit::Smc));
    assert_eq!(r.boot.memory.usable_bytes(), 256 << 20, "secure RAM is not ours");
    assert_eq!(r.boot.console.unwrap().base, 0x900_0000);
}

#[test]
fn numa_has_a_memory_node_for_each_node() {
    let r = read(&fixture("numa"));
    let usable = r
        .boot
        .memory
        .regions()
        .iter()
        .filter(|m| m.kind == MemKind::Usable);
    let mut starts: Vec<_> = usable.map(|m| (m.start, m.len)).collect();
    starts.sort_unstable();
    assert_eq!(starts, [(0x4000_0000, 512 << 20), (0x6000_0000, 512 << 20)]);
}

#[test]
fn the_header_says_how_much_to_map() {
    let blob = fixture("v3");
    assert_eq!(total_size(&blob[..HEADER_SIZE]), Ok(blob.len()));
    assert_eq!(total_size(&blob[..HEADER_SIZE - 1]), Err(Error::TooShort));
    assert_eq!(read(&blob[..blob.len() - 1]).result, Err(Error::TooShort));
    let with = |at: usize, value: u32| {
        let mut blob = blob.clone();
        blob[at..at + 4].copy_from_slice(&value.to_be_bytes());
        read(&blob).result
    };
    assert_eq!(with(0, 0xd00d_feee), Err(Error::BadMagic));
    assert_eq!(with(4, MAX_SIZE as u32 + 1), Err(Error::BadSize));
    assert_eq!(with(4, 39), Err(Error::BadSize));
    assert_eq!(with(20, 16), Err(Error::BadVersion));
    assert_eq!(with(24, 18), Err(Error::BadVersion));
    for offset in [8, 12, 16, 32, 36] {
        assert_eq!(with(offset, u32::MAX), Err(Error::BadOffset), "{offset}");
    }
    assert_eq!(with(36, 0), Err(Error::BadStructure));
    assert_eq!(with(8, 0x41), Err(Error::BadStructure), "half a token");
}
