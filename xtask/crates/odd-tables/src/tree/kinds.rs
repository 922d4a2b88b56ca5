//! The kinds: memory, the timer, CPUs.

mod devices;

use super::parts::{Node, Parts, cells, cpu, cpus, memory, node, reserved, text, wide};
use super::{Kind, Odd};
use crate::Random;

/// A page in RAM that nothing else is in.
fn page(random: &mut Random) -> u64 {
    0x4400_0000 + random.within(0, 0xfff) * 0x1000
}

/// Three hundred pages, every second one.
fn three_hundred(random: &mut Random) -> Vec<(u64, u64)> {
    let first = 0x4400_0000 + random.within(0, 0x100) * 0x1000;
    (0..300).map(|n| (first + n * 0x2000, 0x1000)).collect()
}

fn as_nodes(pages: &[(u64, u64)]) -> Node {
    reserved(
        pages
            .iter()
            .map(|&(start, len)| node(&format!("kept@{start:x}"), &[("reg", wide(&[start, len]))])),
    )
}

/// The usual, and this is not to be given out, while what lies between is free.
fn holding(parts: &Parts, pages: &[(u64, u64)]) -> Odd {
    let mut odd = parts.odd();
    odd.held
        .extend(pages.iter().map(|&(start, len)| start..start + len));
    odd
}

/// One child of `/reserved-memory`.
fn one_reserved(mut parts: Parts, child: Node) -> Parts {
    parts.more.push(reserved([child]));
    parts
}

/// The timer with another frequency, and what counts of that.
fn frequency(mut parts: Parts, value: Vec<u8>, counts: Option<u64>) -> Odd {
    parts.timer = parts.timer.map(|timer| timer.with("clock-frequency", value));
    Odd {
        frequency: counts,
        ..parts.odd()
    }
}

/// One CPU's node is changed.
fn with_cpu(mut parts: Parts, n: u64, change: impl Fn(Node) -> Node) -> Parts {
    let cpu = &mut parts.cpus.children[n as usize];
    *cpu = change(cpu.clone());
    parts
}

fn all_but(n: u64) -> Vec<u64> {
    (0..4).filter(|id| *id != n).collect()
}

/// What is refused as a whole.
fn refused(blob: Vec<u8>, why: &'static str) -> Odd {
    Odd {
        blob,
        error: Some(why),
        ..Parts::usual("").odd()
    }
}

fn word(blob: &[u8], word: usize) -> usize {
    blob[4 * word..4 * word + 4]
        .iter()
        .fold(0, |sum, &b| sum << 8 | usize::from(b))
}

/// Every kind.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain(devices::KINDS)
}

const KINDS: &[Kind] = &[
    ("usual", |_, parts| parts.odd()),
    // Memory.
    ("reservations-300", |r, mut parts| {
        parts.reservations = three_hundred(r);
        holding(&parts, &parts.reservations)
    }),
    ("reserved-nodes-300", |r, mut parts| {
        let pages = three_hundred(r);
        parts.more.push(as_nodes(&pages));
        holding(&parts, &pages)
    }),
    ("reserved-2x300", |r, mut parts| {
        let (pages, nodes) = (three_hundred(r), three_hundred(r));
        parts.more.push(as_nodes(&nodes));
        parts.reservations = pages.clone();
        holding(&parts, &[pages, nodes].concat())
    }),
    ("reservations-any-order", |r, mut parts| {
        parts.reservations = three_hundred(r);
        r.shuffle(&mut parts.reservations);
        holding(&parts, &parts.reservations)
    }),
    ("reservations-empty", |r, mut parts| {
        parts.reservations = (0..r.within(1, 9)).map(|_| (page(r), 0)).collect();
        parts.odd()
    }),
    ("reservation-not-of-pages", |r, mut parts| {
        parts.reservations = vec![(page(r) + r.within(1, 0xfff), r.within(1, 0xffff))];
        holding(&parts, &parts.reservations)
    }),
    ("reservation-outside-of-ram", |r, mut parts| {
        parts.reservations = vec![(r.within(0, 0x3000_0000), 0x1000), (1 << 45, 1 << 30)];
        parts.odd()
    }),
    ("reservation-wraps", |r, mut parts| {
        parts.reservations = vec![(u64::MAX - r.within(0, 0xffff), u64::MAX)];
        parts.odd()
    }),
    ("reserved-no-end", |r, mut parts| {
        parts.reservations = vec![(page(r), 0x1000)];
        let mut odd = holding(&parts, &parts.reservations);
        // The end becomes one more, of a page of RAM.
        let at = word(&odd.blob, 4) + 16;
        odd.blob[at..at + 16].copy_from_slice(&wide(&[0x4300_0000, 0x1000]));
        odd.held.push(0x4300_0000..0x4300_1000);
        odd
    }),
    ("memory-in-pieces", |r, mut parts| {
        let pieces = 1 << r.within(1, 8);
        let len = 0x1000_0000 / pieces;
        parts.memory = (0..pieces).map(|n| memory(0x4000_0000 + n * len, len)).collect();
        parts.odd()
    }),
    ("memory-in-one-list", |r, mut parts| {
        let pieces = 1 << r.within(1, 8);
        let len = 0x1000_0000 / pieces;
        let mut list: Vec<_> = (0..pieces).map(|n| wide(&[0x4000_0000 + n * len, len])).collect();
        r.shuffle(&mut list);
        parts.memory = vec![parts.memory[0].clone().with("reg", list.concat())];
        parts.odd()
    }),
    ("memory-twice", |r, mut parts| {
        let start = page(r);
        parts.memory.push(memory(start, 0x4e00_0000 - start));
        parts.odd()
    }),
    ("memory-by-name-alone", |_, mut parts| {
        parts.memory = vec![parts.memory[0].clone().without("device_type")];
        parts.odd()
    }),
    ("memory-empty", |r, mut parts| {
        parts.memory.insert(0, memory(page(r), 0));
        parts.odd()
    }),
    ("memory-wraps", |r, mut parts| {
        parts.memory.push(memory(u64::MAX - 0xffff, r.any() | 1 << 63));
        parts.odd()
    }),
    ("memory-far-away", |r, mut parts| {
        parts
            .memory
            .push(memory(r.within(1 << 14, 1 << 15) << 32, 1 << 30));
        parts.odd()
    }),
    ("memory-of-others", |r, mut parts| {
        let status = ["disabled", "reserved", "fail", ""][r.within(0, 3) as usize];
        let start = r.within(1, 0x3000) << 12;
        let others = memory(start, 0x1000).with("status", text(status));
        parts.memory.push(others);
        let mut odd = parts.odd();
        odd.held.push(start..start + 0x1000);
        odd
    }),
    ("memory-cut-off", |r, mut parts| {
        let mut reg = wide(&[0x4000_0000, 0x1000_0000]);
        reg.extend(r.bytes(r.clone().within(1, 15)));
        parts.memory = vec![parts.memory[0].clone().with("reg", reg)];
        parts.odd()
    }),
    ("no-memory", |_, mut parts| {
        parts.memory.clear();
        refused(parts.blob(), "device tree describes no memory")
    }),
    ("reserved-anywhere", |r, parts| {
        let child = node("dynamic", &[("size", wide(&[r.within(1, 99) << 12]))]);
        one_reserved(parts, child).odd()
    }),
    ("reserved-not-to-be-mapped", |r, parts| {
        let at = page(r);
        let child = node("secret", &[("reg", wide(&[at, 0x1000])), ("no-map", Vec::new())]);
        holding(&one_reserved(parts, child), &[(at, 0x1000)])
    }),
    ("reserved-by-nobody", |_, parts| {
        let reg = wide(&[0x4a10_0000, 0x1000]);
        let child = node("off", &[("reg", reg), ("status", text("disabled"))]);
        one_reserved(parts, child).odd()
    }),
    ("reserved-of-one-cell", |r, mut parts| {
        let at = page(r);
        let child = node("narrow", &[("reg", cells(&[at as u32, 0x1000]))]);
        let one = [("#address-cells", cells(&[1])), ("#size-cells", cells(&[1]))];
        parts.more.push(node("reserved-memory", &one).holding([child]));
        holding(&parts, &[(at, 0x1000)])
    }),
    // The timer.
    ("frequency-0", |_, parts| frequency(parts, cells(&[0]), None)),
    ("frequency-low", |r, parts| {
        frequency(parts, cells(&[r.within(1, 99_999) as u32]), None)
    }),
    ("frequency-too-high", |r, parts| {
        frequency(parts, cells(&[r.within(4_000_000_001, 0xffff_ffff) as u32]), None)
    }),
    ("frequency-of-two-cells", |_, parts| {
        frequency(parts, wide(&[62_500_000]), None)
    }),
    ("frequency-empty", |r, parts| {
        let len = r.within(0, 3);
        frequency(parts, r.bytes(len), None)
    }),
    ("frequency-right", |_, parts| {
        frequency(parts, cells(&[62_500_000]), Some(62_500_000))
    }),
    ("no-timer", |_, mut parts| {
        parts.timer = None;
        parts.odd()
    }),
    ("timer-shared", |r, mut parts| {
        let number = r.within(0, 900) as u32;
        let shared = [[0, number, 4]; 4].concat();
        parts.timer = parts.timer.map(|timer| timer.with("interrupts", cells(&shared)));
        parts.odd()
    }),
    ("timer-interrupts-cut-off", |r, mut parts| {
        let some = r.within(0, 11) as usize;
        let list = &[1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4][..some];
        parts.timer = parts.timer.map(|timer| timer.with("interrupts", cells(list)));
        parts.odd()
    }),
    ("timer-interrupts-nonsense", |r, mut parts| {
        let list: Vec<u32> = (0..12).map(|_| r.any() as u32 | 0x100).collect();
        parts.timer = parts.timer.map(|timer| timer.with("interrupts", cells(&list)));
        parts.odd()
    }),
    // CPUs.
    ("cpu-without-id", |r, parts| {
        let n = r.within(1, 3);
        let parts = with_cpu(parts, n, |cpu| cpu.without("reg"));
        Odd {
            cpus: all_but(n),
            bad: 1,
            ..parts.odd()
        }
    }),
    ("cpu-id-cut-off", |r, parts| {
        let n = r.within(1, 3);
        let reg = r.bytes(r.clone().within(0, 3));
        let parts = with_cpu(parts, n, |cpu| cpu.with("reg", reg.clone()));
        Odd {
            cpus: all_but(n),
            bad: 1,
            ..parts.odd()
        }
    }),
    ("cpu-id-no-mpidr", |r, parts| {
        let n = r.within(1, 3);
        let id = 1 << r.within(24, 31) | n as u32;
        let parts = with_cpu(parts, n, |cpu| cpu.with("reg", cells(&[id])));
        Odd {
            cpus: all_but(n),
            bad: 1,
            ..parts.odd()
        }
    }),
    ("cpu-again", |r, mut parts| {
        let again = cpu(r.within(0, 3) as u32);
        parts.cpus.children.push(Node {
            name: "cpu@9".into(),
            ..again
        });
        Odd {
            bad: 1,
            ..parts.odd()
        }
    }),
    ("cpu-disabled", |r, parts| {
        let n = r.within(1, 3);
        let status = ["disabled", "fail", "fail-sss", ""][r.within(0, 3) as usize];
        let parts = with_cpu(parts, n, |cpu| cpu.with("status", text(status)));
        Odd {
            cpus: all_but(n),
            disabled: 1,
            ..parts.odd()
        }
    }),
    ("cpu-okay", |r, parts| {
        let status = ["okay", "ok"][r.within(0, 1) as usize];
        with_cpu(parts, r.within(0, 3), |cpu| cpu.with("status", text(status))).odd()
    }),
    ("cpus-any-order", |r, mut parts| {
        r.shuffle(&mut parts.cpus.children);
        parts.odd()
    }),
    ("cpus-of-two-cells", |_, mut parts| {
        parts.cpus = parts.cpus.with("#address-cells", cells(&[2]));
        for (n, cpu) in parts.cpus.children.iter_mut().enumerate() {
            *cpu = cpu.clone().with("reg", cells(&[0, n as u32]));
        }
        parts.odd()
    }),
    ("cpus-twice", |_, mut parts| {
        parts.more.push(Node {
            name: "cpus@1".into(),
            ..cpus([cpu(0), cpu(2)])
        });
        Odd {
            bad: 2,
            ..parts.odd()
        }
    }),
    ("cpus-among-others", |r, mut parts| {
        let map = node("cpu-map", &[]).holding([node("cluster0", &[]).holding([node("core0", &[])])]);
        let cache = node("l2-cache", &[("device_type", text("cache"))]);
        parts.cpus.children.extend([map, cache, node("idle-states", &[])]);
        r.shuffle(&mut parts.cpus.children);
        parts.odd()
    }),
    ("cpus-of-no-cells", |_, mut parts| {
        parts.cpus = parts.cpus.with("#address-cells", cells(&[0]));
        Odd {
            cpus: Vec::new(),
            bad: 4,
            ..parts.odd()
        }
    }),
    ("no-cpus", |_, mut parts| {
        parts.cpus = node("cpus", &[]);
        Odd {
            cpus: Vec::new(),
            ..parts.odd()
        }
    }),
    ("boot-cpu-absent", |_, mut parts| {
        parts.cpus.children.remove(0);
        Odd {
            cpus: all_but(0),
            ..parts.odd()
        }
    }),
    ("no-way-to-start", |r, parts| {
        let n = r.within(1, 3);
        with_cpu(parts, n, |cpu| cpu.without("enable-method")).odd()
    }),
    ("no-psci", |_, mut parts| {
        parts.psci = None;
        parts.odd()
    }),
    ("psci-by-no-known-call", |r, mut parts| {
        let method = ["", "svc", "hvc ", "HVC"][r.within(0, 3) as usize];
        parts.psci = parts.psci.map(|psci| psci.with("method", text(method)));
        parts.odd()
    }),
];
