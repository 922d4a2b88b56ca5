//! How CPUs sit in people's machines: sockets, dies, clusters and threads; slots that are listed and empty; memory in nodes.

use serde::Serialize;

use super::variants::{Variant, variant};
use crate::arch::Arch;
use crate::vm::spec::Boot;

/// How the CPUs of a machine sit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// QEMU's arguments for it. A second `-smp` adds to the first, and wins.
    pub args: &'static [&'static str],
    /// The hardware ids of the CPUs that are there, in the order in which they are listed: ranges of hexadecimal numbers.
    ids: &'static str,
}

impl Topology {
    /// The hardware ids of the CPUs that are there, in the order of their logical numbers.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        let number = |text: &str| u64::from_str_radix(text, 16).expect("the tables hold hexadecimal numbers");
        self.ids.split(',').flat_map(move |range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            number(first)..=number(last)
        })
    }
}

const fn smp(args: &'static [&'static str], ids: &'static str) -> Topology {
    Topology { args, ids }
}

/// QEMU's `-numa`: half of 256 MiB for each half of four CPUs.
const TWO_NODES: &[&str] = &[
    "-object",
    "memory-backend-ram,id=near,size=128M",
    "-object",
    "memory-backend-ram,id=far,size=128M",
    "-numa",
    "node,memdev=near,cpus=0-1",
    "-numa",
    "node,memdev=far,cpus=2-3",
];

// An APIC id is made of fields for socket, die, core and thread, each of as many bits as its largest number takes (SDM volume
// 3A, section 9.9.1): a number that is no power of two leaves holes.
/// Cores in threes, and the last two slots empty.
const THREES: Topology = smp(&["-smp", "sockets=2,cores=3,maxcpus=6"], "0-2,4");
/// Threads in threes, too.
const THREADS: Topology = smp(&["-smp", "sockets=1,cores=3,threads=3,maxcpus=9"], "0-2,4-6,8-9");
/// Dies in threes, of two threads each; the second socket has one die.
const DIES: Topology = smp(
    &["-smp", "sockets=2,dies=3,cores=1,threads=2,maxcpus=12"],
    "0-5,8-9",
);
/// A CPU for each fourth id, and the second half of the slots empty.
const SPARSE: Topology = smp(
    &["-smp", "sockets=16,cores=5,threads=1,maxcpus=80"],
    "0-4,8-c,10-14,18-1c,20-24,28-2c,30-34,38-3c,40-44,48-4c,50-54,58-5c,60-63",
);
/// Empty slots between the first three CPUs and the one that was put into the last.
const SLOTS: &str = "cpus=3,sockets=4,cores=3,maxcpus=12";
const SLOTS_64: Topology = smp(
    &[
        "-smp",
        SLOTS,
        "-device",
        "max-x86_64-cpu,socket-id=3,core-id=2,thread-id=0",
    ],
    "0-2,e",
);
const SLOTS_32: Topology = smp(
    &[
        "-smp",
        SLOTS,
        "-device",
        "max-i386-cpu,socket-id=3,core-id=2,thread-id=0",
    ],
    "0-2,e",
);

// QEMU's `virt` puts CPUs into clusters of 16 (of 8 with a GICv2), whatever it says of sockets in its tables.
/// Four of these clusters: the second field of the MPIDR is in use.
const CLUSTERS: Topology = smp(
    &["-smp", "sockets=2,clusters=4,cores=8"],
    "0-f,100-10f,200-20f,300-30f",
);
/// As many as a GICv2 takes.
const THREADS_ARM: Topology = smp(&["-smp", "sockets=2,clusters=1,cores=2,threads=2"], "0-7");
/// The second half of the slots empty.
const EMPTY_ARM: Topology = smp(&["-smp", "sockets=4,cores=2,maxcpus=8"], "0-3");
const NUMA: Topology = smp(TWO_NODES, "0-3");

const FEW: &[(bool, u32)] = &[(false, 4), (true, 4)];
const EIGHT: &[(bool, u32)] = &[(true, 8)];
const MANY: &[(bool, u32)] = &[(true, 64)];

const fn machine(
    arch: Arch,
    name: &'static str,
    sizes: &'static [(bool, u32)],
    topology: Topology,
) -> Variant {
    let boot = if arch.is_x86() { Boot::Pvh } else { Boot::Image };
    variant(arch, name, boot).only(sizes).topology(topology)
}

/// All machines of this kind.
pub(super) const VARIANTS: &[Variant] = &[
    machine(Arch::X86_64, "topology-threes", FEW, THREES),
    machine(Arch::X86_64, "topology-threads", EIGHT, THREADS),
    machine(Arch::X86_64, "topology-dies", EIGHT, DIES),
    machine(Arch::X86_64, "topology-sparse", MANY, SPARSE),
    machine(Arch::X86_64, "topology-slots", FEW, SLOTS_64),
    machine(Arch::X86_64, "topology-numa", FEW, NUMA),
    machine(Arch::I386, "topology-threes", FEW, THREES),
    machine(Arch::I386, "topology-threads", EIGHT, THREADS),
    machine(Arch::I386, "topology-dies", EIGHT, DIES),
    machine(Arch::I386, "topology-sparse", MANY, SPARSE),
    machine(Arch::I386, "topology-slots", FEW, SLOTS_32),
    machine(Arch::I386, "topology-numa", FEW, NUMA),
    machine(Arch::Aarch64, "topology-clusters", MANY, CLUSTERS),
    machine(Arch::Aarch64, "topology-threads", EIGHT, THREADS_ARM).machine("gic-version=2"),
    machine(Arch::Aarch64, "topology-empty", FEW, EMPTY_ARM),
    machine(Arch::Aarch64, "topology-numa", FEW, NUMA),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_id_for_each_cpu_of_each_size() {
        for variant in VARIANTS {
            let ids: Vec<u64> = variant.topology.unwrap().ids().collect();
            for (_, cpus) in variant.only.unwrap() {
                assert_eq!(ids.len(), *cpus as usize, "{} {}", variant.arch, variant.name);
            }
            assert!(ids.is_sorted_by(|a, b| a < b), "{}", variant.name);
        }
    }

    #[test]
    fn each_architecture_has_holes_empty_slots_nodes_and_an_smp_and_a_up_build() {
        for arch in Arch::ALL {
            let all: Vec<&Variant> = VARIANTS.iter().filter(|variant| variant.arch == arch).collect();
            let has = |what: fn(&Variant) -> bool| all.iter().any(|variant| what(variant));
            let words = |variant: &Variant| variant.topology.unwrap().args.join(" ");
            assert!(
                has(|variant| variant.topology.unwrap().ids.contains(',')),
                "{arch}"
            );
            assert!(
                all.iter().any(|variant| words(variant).contains("maxcpus=")),
                "{arch}"
            );
            assert!(
                all.iter().any(|variant| words(variant).contains("-numa")),
                "{arch}"
            );
            for smp in [false, true] {
                let of_build = |variant: &&Variant| variant.only.unwrap().iter().any(|size| size.0 == smp);
                assert!(all.iter().any(of_build), "{arch} {smp}");
            }
        }
    }
}
