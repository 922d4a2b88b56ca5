//! The machines that kernels must come up on, and how large each is tried.

use super::Memory;
use super::topology::Topology;
use crate::arch::Arch;
use crate::needs::newer::Newer;
use crate::vm::spec::Boot;

/// A machine that a kernel must come up on.
pub(super) struct Variant {
    pub(super) arch: Arch,
    pub(super) name: &'static str,
    pub(super) machine: Option<&'static str>,
    pub(super) cpu: Option<&'static str>,
    /// Words for the kernel, beside its orders.
    pub(super) words: &'static str,
    /// What it must say.
    pub(super) says: &'static str,
    pub(super) boot: Boot,
    pub(super) memory: Memory,
    /// The largest machine of this kind that every run tries.
    pub(super) many: u32,
    /// Only these, builds for one CPU or many and their CPUs, where booting takes its time.
    pub(super) only: Option<&'static [(bool, u32)]>,
    /// The largest that there is, where that is larger.
    pub(super) most: Option<u32>,
    /// What of a newer QEMU it takes: without that it is skipped, by name.
    pub(super) needs: Option<Newer>,
    /// How the CPUs sit.
    pub(super) topology: Option<Topology>,
}

pub(super) const fn variant(arch: Arch, name: &'static str, boot: Boot) -> Variant {
    Variant {
        arch,
        name,
        machine: None,
        cpu: None,
        words: "",
        says: "",
        boot,
        memory: Memory::USUAL,
        many: 64,
        only: None,
        most: None,
        needs: None,
        topology: None,
    }
}

impl Variant {
    pub(super) const fn machine(self, machine: &'static str) -> Self {
        Self {
            machine: Some(machine),
            ..self
        }
    }

    pub(super) const fn cpu(self, cpu: &'static str) -> Self {
        Self {
            cpu: Some(cpu),
            ..self
        }
    }

    pub(super) const fn memory(self, size: &'static str, mib: u64) -> Self {
        Self {
            memory: Memory::new(size, mib),
            ..self
        }
    }

    pub(super) const fn words(self, words: &'static str) -> Self {
        Self { words, ..self }
    }

    const fn many(self, many: u32) -> Self {
        Self { many, ..self }
    }

    pub(super) const fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    pub(super) const fn only(self, only: &'static [(bool, u32)]) -> Self {
        Self {
            only: Some(only),
            ..self
        }
    }

    pub(super) const fn needs(self, newer: Newer) -> Self {
        Self {
            needs: Some(newer),
            ..self
        }
    }

    pub(super) const fn topology(self, topology: Topology) -> Self {
        Self {
            topology: Some(topology),
            ..self
        }
    }

    const fn most(self, most: u32) -> Self {
        Self {
            most: Some(most),
            ..self
        }
    }
}

/// More CPUs than an xAPIC can name. Its firmware leaves it to the kernel to change their mode.
const X2APIC: Variant = variant(Arch::X86_64, "x2apic", Boot::Pvh)
    .cpu("max,x2apic=on")
    .memory("1024", 1024)
    .needs(Newer::X2apic)
    .only(&[(true, 512)]);

/// All machines. The first of each architecture is the one that `cargo xtask qemu` boots.
pub(super) const VARIANTS: &[Variant] = &[
    variant(Arch::X86_64, "q35", Boot::Pvh).most(255),
    variant(Arch::X86_64, "bzimage", Boot::BzImage),
    variant(Arch::X86_64, "pc", Boot::BzImage).machine("pc").many(8),
    variant(Arch::X86_64, "microvm", Boot::Pvh)
        .machine("microvm")
        .many(8),
    variant(Arch::X86_64, "qemu64", Boot::Pvh).cpu("qemu64").many(8),
    variant(Arch::X86_64, "uefi", Boot::Efi).many(8),
    variant(Arch::X86_64, "grub", Boot::Grub).only(&[(false, 1), (true, 4)]),
    X2APIC,
    variant(Arch::I386, "q35", Boot::Pvh).most(255),
    Variant {
        arch: Arch::I386,
        ..X2APIC
    },
    variant(Arch::I386, "bzimage", Boot::BzImage),
    variant(Arch::I386, "pc", Boot::BzImage).machine("pc").many(8),
    variant(Arch::I386, "pentium", Boot::Pvh).cpu("pentium").many(8),
    // PAE without the no-execute bit; the first has both, the Pentium neither.
    variant(Arch::I386, "qemu32", Boot::Pvh).cpu("qemu32").many(8),
    variant(Arch::I386, "nopae", Boot::Pvh).words("nopae").many(8),
    variant(Arch::I386, "uefi", Boot::Efi).many(8),
    variant(Arch::I386, "uefi-pentium3", Boot::Efi)
        .cpu("pentium3")
        .only(&[(false, 1), (true, 4)]),
    // The roots have two levels then. Not the CPU but the kernel goes without: firmware itself dies on a CPU that has no PAE.
    variant(Arch::I386, "uefi-nopae", Boot::Efi)
        .cpu("pentium3")
        .words("nopae")
        .only(&[(false, 1)]),
    variant(Arch::I386, "grub", Boot::Grub).only(&[(false, 1), (true, 4)]),
    variant(Arch::Aarch64, "gicv3", Boot::Image).most(512),
    variant(Arch::Aarch64, "gicv2", Boot::Image)
        .machine("gic-version=2")
        .many(8),
    variant(Arch::Aarch64, "el2", Boot::Image).machine("virtualization=on"),
    variant(Arch::Aarch64, "secure", Boot::Image)
        .machine("secure=on")
        .many(8),
    variant(Arch::Aarch64, "max", Boot::Image).cpu("max").many(8),
    variant(Arch::Aarch64, "max-el2", Boot::Image)
        .cpu("max")
        .machine("virtualization=on,gic-version=2")
        .many(8),
    // By ACPI alone, then by device tree alone.
    variant(Arch::Aarch64, "uefi", Boot::Efi).many(8),
    variant(Arch::Aarch64, "uefi-dt", Boot::Efi)
        .machine("acpi=off")
        .only(&[(false, 4), (true, 4)]),
];
