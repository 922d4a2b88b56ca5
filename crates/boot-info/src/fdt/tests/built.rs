//! Trees that firmware writes and no fixture has.

use dtoolkit::{memreserve::MemoryReservation, model::DeviceTreeNode};

use super::blobs::{blob, cells, memory, node, read, text, tree};
use crate::{ConsoleKind, Initrd, InitrdRefusal, MemKind, fdt::*};

fn cpu(name: &str, reg: &[u32], more: &[(&str, Vec<u8>)]) -> DeviceTreeNode {
    let head = [
        ("device_type", text("cpu")),
        ("reg", cells(reg)),
        ("enable-method", text("psci")),
    ];
    node(name, &[&head[..], more].concat(), vec![])
}

fn cpus(address_cells: u32, children: Vec<DeviceTreeNode>) -> Vec<u8> {
    let props = [
        ("#address-cells", cells(&[address_cells])),
        ("#size-cells", cells(&[0])),
    ];
    blob(vec![memory(), node("cpus", &props, children)])
}

#[test]
fn a_thousand_cpus_and_some_more() {
    let many =
        (0..MAX_CPUS as u32 + 5).map(|i| cpu(&format!("cpu@{i:x}"), &[((i / 16) << 8) | (i % 16)], &[]));
    let r = read(&cpus(1, many.collect()));
    assert_eq!((r.info.cpus.len(), r.info.cpus_dropped), (MAX_CPUS, 5));
    assert_eq!(r.info.cpus[17].hw_id, 0x101);
}

#[test]
fn cpu_ids_of_two_cells_and_cpus_that_are_none() {
    let list = vec![
        cpu("cpu@0", &[0, 0x102], &[]),
        cpu("cpu@1", &[1, 0x102], &[]),
        cpu("cpu@2", &[0, 0x102], &[]),
        cpu("cpu@3", &[0, 0x8000_0003], &[]),
        cpu("cpu@4", &[4], &[]),
        cpu("cpu@5", &[0, 5], &[("status", text("disabled"))]),
        cpu("cpu@6", &[0, 6], &[("status", text("okay"))]),
        node("cpu-map", &[], vec![]),
        node("l2-cache", &[("device_type", text("cache"))], vec![]),
    ];
    let r = read(&cpus(2, list));
    assert_eq!(
        r.info.cpus.iter().map(|c| c.hw_id).collect::<Vec<_>>(),
        [0x102, 0x1_0000_0102, 6]
    );
    assert_eq!((r.info.cpus_bad, r.info.cpus_disabled), (3, 1));
}

#[test]
fn a_second_cpus_node_brings_no_cpu_twice() {
    let cpus = |name| {
        node(
            name,
            &[("#address-cells", cells(&[1]))],
            vec![cpu("cpu@1", &[1], &[])],
        )
    };
    let r = read(&blob(vec![memory(), cpus("cpus"), cpus("cpus@1")]));
    assert_eq!((r.info.cpus.len(), r.info.cpus_bad), (1, 1));
}

#[test]
fn enable_methods() {
    let release = ("cpu-release-addr", cells(&[0, 0xd8]));
    let spin = node(
        "cpu@0",
        &[
            ("reg", cells(&[0])),
            ("enable-method", text("spin-table")),
            release,
        ],
        vec![],
    );
    let odd = node(
        "cpu@1",
        &[("reg", cells(&[1])), ("enable-method", text("spin-table"))],
        vec![],
    );
    let r = read(&cpus(1, vec![spin, odd]));
    assert_eq!(r.info.cpus[0].enable, EnableMethod::SpinTable(0xd8));
    assert_eq!(
        r.info.cpus[1].enable,
        EnableMethod::None,
        "no address to write to"
    );
}

#[test]
fn reservations_of_all_kinds() {
    let child = |name: &str, at: u32, more: &[(&str, Vec<u8>)]| {
        node(
            name,
            &[&[("reg", cells(&[0, at, 0, 0x1000]))][..], more].concat(),
            vec![],
        )
    };
    let two = [
        ("#address-cells", cells(&[2])),
        ("#size-cells", cells(&[2])),
        ("ranges", vec![]),
    ];
    let reserved = node(
        "reserved-memory",
        &two,
        vec![
            child("a", 0x4100_0000, &[]),
            child("b", 0x4200_0000, &[("no-map", vec![])]),
            child("c", 0x4300_0000, &[("status", text("disabled"))]),
            node("dynamic", &[("size", cells(&[0, 0x1000]))], vec![]),
        ],
    );
    let mut tree = tree(vec![memory(), reserved]);
    tree.memory_reservations
        .push(MemoryReservation::new(0x4400_0000, 0x2000));
    let r = read(&tree.to_dtb());
    let claims = r
        .boot
        .memory
        .regions()
        .iter()
        .filter(|m| m.kind != MemKind::Usable);
    let claims: Vec<_> = claims.map(|m| (m.start, m.len, m.kind)).take(3).collect();
    let (ram, gone) = (MemKind::ReservedRam, MemKind::Reserved);
    assert_eq!(
        claims,
        [
            (0x4100_0000, 0x1000, ram),
            (0x4200_0000, 0x1000, gone),
            (0x4400_0000, 0x2000, ram)
        ]
    );
}

#[test]
fn none_of_300_reservations_of_either_kind_is_lost() {
    let at = |i: u32| 0x4400_0000 + i * 0x2000;
    let two = [("#address-cells", cells(&[2])), ("#size-cells", cells(&[2]))];
    let child = |i: u32| {
        node(
            &format!("r@{i:x}"),
            &[("reg", cells(&[0, at(i), 0, 0x1000]))],
            vec![],
        )
    };
    let nodes = node("reserved-memory", &two, (0..300).map(child).collect());
    let by_node = tree(vec![memory(), nodes]).to_dtb();
    let mut block = tree(vec![memory()]);
    block
        .memory_reservations
        .extend((0..300).map(|i| MemoryReservation::new(at(i).into(), 0x1000)));
    for blob in [by_node, block.to_dtb()] {
        let r = read(&blob);
        let mut held = 0;
        regions(&blob, 0x4800_0000, None, &|_, _| None, &mut |r| {
            held += u32::from(r.kind == MemKind::ReservedRam);
        })
        .unwrap();
        assert_eq!(held, 301, "and the blob");
        assert!((0..300).all(|i| {
            let at = u64::from(at(i));
            !r.boot.memory.is_free(&(at..at + 0x1000))
        }));
    }
}

#[test]
fn a_reservation_block_without_an_end_ends_at_the_next_block() {
    let mut block = tree(vec![memory()]);
    block
        .memory_reservations
        .push(MemoryReservation::new(0x4400_0000, 0x1000));
    let mut blob = block.to_dtb();
    let word = |blob: &[u8], at: usize| u32::from_be_bytes(blob[at..at + 4].try_into().unwrap()) as usize;
    let (list, next) = (word(&blob, 16), word(&blob, 8).min(word(&blob, 12)));
    for end in blob[list + 16..next].chunks_exact_mut(16) {
        end[..8].copy_from_slice(&0x4500_0000u64.to_be_bytes());
        end[8..].copy_from_slice(&0x1000u64.to_be_bytes());
    }
    let mut held = Vec::new();
    regions(&blob, 0x4800_0000, None, &|_, _| None, &mut |r| {
        held.extend((r.kind == MemKind::ReservedRam).then_some(r.start));
    })
    .unwrap();
    assert_eq!(held, [0x4400_0000, 0x4500_0000, 0x4800_0000]);
}

fn chosen(props: &[(&str, Vec<u8>)]) -> Vec<u8> {
    blob(vec![memory(), node("chosen", props, vec![])])
}

#[test]
fn initrd_of_one_and_two_cells_and_none_at_all() {
    let initrd = |start: &[u32], end: &[u32]| {
        let props = [
            ("linux,initrd-start", cells(start)),
            ("linux,initrd-end", cells(end)),
        ];
        read(&chosen(&props)).boot.initrd.clone()
    };
    let here = Initrd::Present(0x4400_0000..0x4410_0000);
    assert_eq!(initrd(&[0x4400_0000], &[0, 0x4410_0000]), here);
    assert_eq!(initrd(&[0, 0x4400_0000], &[0x4410_0000]), here);
    let why = |initrd| match initrd {
        Initrd::Refused { why, .. } => Some(why),
        _ => None,
    };
    assert_eq!(
        why(initrd(&[0x4410_0000], &[0x4400_0000])),
        Some(InitrdRefusal::Wraps)
    );
    assert_eq!(
        why(initrd(&[0x4400_0000], &[0x4400_0000])),
        Some(InitrdRefusal::NoSize)
    );
    assert_eq!(
        why(initrd(&[0x3400_0000], &[0x3410_0000])),
        Some(InitrdRefusal::NotRam)
    );
    assert_eq!(
        why(initrd(&[1, 0, 0], &[0x4410_0000])),
        Some(InitrdRefusal::NoAddress),
        "three cells are none"
    );
}

fn uart_tree(stdout: &str) -> Vec<u8> {
    let soc = [
        ("#address-cells", cells(&[1])),
        ("#size-cells", cells(&[1])),
        // Bus 0x7e000000 is CPU 0xfe000000, 16 MiB.
        ("ranges", cells(&[0x7e00_0000, 0, 0xfe00_0000, 0x100_0000])),
        ("compatible", text("simple-bus")),
    ];
    let serial = |name: &str, at: u32, more: &[(&str, Vec<u8>)]| {
        let props = [("reg", cells(&[at, 0x100])), ("interrupts", cells(&[0, 121, 1]))];
        node(name, &[&props[..], more].concat(), vec![])
    };
    let ns16550 = [
        ("compatible", text("brcm,x\0ns16550a")),
        ("reg-shift", cells(&[2])),
        ("clock-frequency", cells(&[9])),
    ];
    let elsewhere = [
        ("compatible", text("arm,pl011")),
        ("interrupt-parent", cells(&[7])),
    ];
    let gic = [
        ("compatible", text("arm,gic-400")),
        ("phandle", cells(&[1])),
        ("#interrupt-cells", cells(&[3])),
        ("reg", cells(&[0x7e10_0000, 0x1000, 0x7e20_0000, 0x2000])),
    ];
    blob(vec![
        node(
            "aliases",
            &[
                ("serial0", text("/soc/serial@7e201000")),
                ("bad", text("nowhere")),
            ],
            vec![],
        ),
        node("chosen", &[("stdout-path", text(stdout))], vec![]),
        memory(),
        node(
            "soc",
            &soc,
            vec![
                serial("serial@7e201000", 0x7e20_1000, &ns16550),
                serial("serial@7e202000", 0x7e20_2000, &elsewhere),
                serial("serial@7d202000", 0x7d20_2000, &[]),
                node("gic", &gic, vec![]),
            ],
        ),
    ])
}

#[test]
fn stdout_through_an_alias_a_bus_and_options() {
    let r = read(&uart_tree("serial0:115200n8"));
    let uart = r.info.uart.unwrap();
    assert_eq!(
        (uart.console.kind, uart.console.base),
        (ConsoleKind::Ns16550, 0xfe20_1000)
    );
    assert_eq!(
        (uart.console.reg_shift, uart.console.baud, uart.clock_frequency),
        (2, Some(115_200), Some(9))
    );
    assert_eq!(
        uart.interrupt,
        Some(Interrupt {
            intid: 153,
            edge: true
        })
    );
    assert_eq!(
        r.info.gic.unwrap().cpu_interface(),
        Some(Region {
            base: 0xfe20_0000,
            len: 0x2000
        })
    );
}

#[test]
fn stdout_by_path_and_stdout_that_leads_nowhere() {
    let uart = |path: &str| read(&uart_tree(path)).info.uart;
    assert_eq!(
        uart("/soc/serial").unwrap().console.base,
        0xfe20_1000,
        "the unit address may be left out"
    );
    let other = uart("/soc/serial@7e202000:9600").unwrap();
    assert_eq!(
        (other.console.kind, other.console.baud),
        (ConsoleKind::Pl011, Some(9600))
    );
    assert_eq!(other.interrupt, None, "its interrupts go elsewhere");
    for nowhere in [
        "",
        "/",
        "serial1",
        "bad",
        "/soc/serial@1",
        "/soc/serial@7e201000/x",
        "/soc/serial@7d202000",
    ] {
        assert_eq!(uart(nowhere), None, "{nowhere}");
    }
}

#[test]
fn psci_takes_the_best_version_it_knows() {
    let psci = |compatible: &str, method: &str| {
        let props = [
            ("compatible", text(compatible)),
            ("method", text(method)),
            ("cpu_on", cells(&[0x95c1_ba60])),
        ];
        read(&blob(vec![
            memory(),
            node("firmware", &[], vec![node("psci", &props, vec![])]),
        ]))
        .info
        .psci
    };
    assert_eq!(
        psci("arm,psci\0arm,psci-1.0\0arm,psci-0.2", "hvc")
            .unwrap()
            .version,
        (1, 0)
    );
    let old = psci("arm,psci", "smc").unwrap();
    assert_eq!(
        (old.version, old.conduit, old.ids.cpu_on),
        ((0, 1), Conduit::Smc, Some(0x95c1_ba60))
    );
    assert_eq!(psci("arm,psci-1.0", "call"), None);
    assert_eq!(psci("arm,psci-9", "smc"), None);
}

#[test]
fn no_memory_is_an_error_but_the_rest_is_read() {
    let r = read(&blob(vec![node(
        "chosen",
        &[("bootargs", text("quiet"))],
        vec![],
    )]));
    assert_eq!(
        (r.result, r.boot.cmdline.as_str()),
        (Err(Error::NoMemory), "quiet")
    );
}

#[test]
fn devices_are_found_on_buses_but_not_at_any_depth() {
    let psci = || {
        node(
            "psci",
            &[("compatible", text("arm,psci-1.0")), ("method", text("smc"))],
            vec![],
        )
    };
    let below = |levels: usize| (0..levels).fold(psci(), |inner, _| node("bus", &[], vec![inner]));
    let found = |levels| read(&blob(vec![memory(), below(levels)])).info.psci.is_some();
    assert_eq!([0, 3, 4, 14].map(found), [true, true, false, false]);
    assert_eq!(read(&blob(vec![below(15)])).result, Err(Error::TooDeep));
}
