//! Machines that differ in their memory: how much, and with which holes.

use super::variants::{Variant, variant};
use super::{Cell, cell};
use crate::arch::Arch::{self, Aarch64, I386, X86_64};
use crate::matrix::task::Task;
use crate::vm::spec::Boot::{BzImage, Efi, Image, Pvh};

const UP: &[(bool, u32)] = &[(false, 1)];
const SMP: &[(bool, u32)] = &[(true, 4)];
const BOTH: &[(bool, u32)] = &[(false, 1), (true, 4)];

/// They are small: what is tried is where memory lies. A PC has its hole for devices below 4 GiB, q35 from 2.75 GiB on where
/// there is more than that. i386 reaches 768 MiB.
const VARIANTS: &[Variant] = &[
    variant(X86_64, "memory-5M", Pvh).memory("5", 5).only(SMP),
    variant(X86_64, "memory-16M", BzImage).memory("16", 16).only(UP),
    variant(X86_64, "memory-768M", Pvh).memory("768", 768).only(UP),
    variant(X86_64, "memory-1.5G", BzImage)
        .memory("1536", 1536)
        .only(SMP),
    variant(X86_64, "memory-2G", Pvh).memory("2G", 2048).only(SMP),
    variant(X86_64, "memory-3.5G", BzImage)
        .memory("3584", 3584)
        .only(UP),
    variant(X86_64, "memory-4G", Efi).memory("4G", 4096).only(SMP),
    variant(X86_64, "memory-hole", BzImage)
        .machine("pc,max-ram-below-4g=512M")
        .memory("4G", 4096)
        .only(SMP),
    variant(X86_64, "memory-6G", Pvh).memory("6G", 6144).only(UP),
    variant(X86_64, "memory-20G", Pvh).memory("20G", 20480).only(BOTH),
    variant(X86_64, "memory-limit", Pvh)
        .words("mem=1G")
        .memory("6G", 1024)
        .only(SMP),
    variant(I386, "memory-5M", Pvh).memory("5", 5).only(UP),
    variant(I386, "memory-6M", Pvh).memory("6", 6).only(SMP),
    variant(I386, "memory-16M", BzImage).memory("16", 16).only(UP),
    variant(I386, "memory-768M", Pvh).memory("768", 768).only(BOTH),
    variant(I386, "memory-1.5G", Pvh).memory("1536", 1536).only(UP),
    variant(I386, "memory-2G", BzImage).memory("2G", 2048).only(SMP),
    variant(I386, "memory-2G-nopae", Pvh)
        .words("nopae")
        .memory("2G", 2048)
        .only(UP),
    variant(I386, "memory-3.5G", Pvh).memory("3584", 3584).only(SMP),
    variant(I386, "memory-4G", Efi).memory("4G", 4096).only(UP),
    // No more: its addresses end at 4 GiB, and QEMU 10 insists on that.
    variant(I386, "memory-2G-pentium", BzImage)
        .cpu("pentium")
        .memory("2G", 2048)
        .only(SMP),
    variant(I386, "memory-hole", BzImage)
        .machine("pc,max-ram-below-4g=1G")
        .memory("4G", 4096)
        .only(UP),
    variant(I386, "memory-6G", Pvh).memory("6G", 6144).only(SMP),
    variant(I386, "memory-20G", Pvh).memory("20G", 20480).only(SMP),
    variant(I386, "memory-limit", Pvh)
        .words("mem=64M")
        .memory("2G", 64)
        .only(UP),
    variant(Aarch64, "memory-16M", Image).memory("16", 16).only(UP),
    variant(Aarch64, "memory-768M", Image)
        .memory("768", 768)
        .only(SMP),
    variant(Aarch64, "memory-1.5G", Image)
        .memory("1536", 1536)
        .only(UP),
    variant(Aarch64, "memory-2G", Efi).memory("2G", 2048).only(SMP),
    variant(Aarch64, "memory-3.5G", Image)
        .memory("3584", 3584)
        .only(UP),
    // All of it below 4 GiB.
    variant(Aarch64, "memory-low", Image)
        .machine("highmem=off")
        .memory("3G", 3072)
        .only(SMP),
    variant(Aarch64, "memory-6G", Image).memory("6G", 6144).only(SMP),
    variant(Aarch64, "memory-20G", Image)
        .memory("20G", 20480)
        .only(BOTH),
    variant(Aarch64, "memory-limit", Image)
        .words("mem=64M")
        .memory("4G", 64)
        .only(UP),
];

/// The image of an SMP build reaches beyond RAM, or into what firmware keeps, and enough of it works to say so.
const TOO_SMALL: Variant = variant(I386, "memory-5M", Pvh).memory("5", 5);

/// The family: `--filter memory`.
pub(super) fn cells(release: bool) -> impl Iterator<Item = Cell> {
    let boots = VARIANTS.iter().flat_map(move |variant| {
        let sizes = variant.only.unwrap_or_default().iter();
        sizes.map(move |(smp, cpus)| cell(variant, *smp, *cpus, release, Task::Boot))
    });
    boots.chain([cell(&TOO_SMALL, true, 4, release, Task::TooSmall)])
}

/// How many MiB of RAM a kernel of `arch` reaches.
pub(super) const fn reach_mib(arch: Arch) -> u64 {
    match arch {
        I386 => 768,
        X86_64 | Aarch64 => u64::MAX,
    }
}
