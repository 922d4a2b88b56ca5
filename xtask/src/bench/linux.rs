//! Debian's Linux 6.1 in the same QEMU, the same way: what Standstill is measured against.
//!
//! One instruction is one virtual nanosecond (`-icount shift=0,sleep=off`), 512 MiB of RAM, a freestanding static
//! `/init`. Per secondary CPU: with 8 CPUs, and with `lpj=` given on x86, because its delay calibration takes another
//! 80 million instructions for each.

use crate::arch::Arch;

/// One kernel's figures.
#[derive(Clone, Copy, Debug)]
pub struct Linux {
    /// Debian's flavour.
    pub name: &'static str,
    /// Instructions from the kernel's entry to `/init`, 1 CPU.
    pub boot: u64,
    /// Instructions for each secondary CPU.
    pub secondary: u64,
    /// Size of the image in bytes.
    pub image: u64,
    /// RAM in use at `/init`, 1 CPU, in KiB.
    pub memory: u64,
}

/// Instructions from the entry of the kernel's stop function until it knows that all other CPUs have stopped, with `cpus` CPUs
/// of which all others spin; `None` where that was not measured.
pub const fn stop(arch: Arch, cpus: u32) -> Option<u64> {
    match (arch, cpus) {
        (Arch::X86_64, 2) => Some(1_476),
        (Arch::X86_64, 4) => Some(1_894),
        (Arch::X86_64, 8) => Some(3_754),
        (Arch::X86_64, 64) => Some(29_794),
        (Arch::I386, 2) => Some(1_654),
        (Arch::I386, 4) => Some(2_300),
        (Arch::I386, 8) => Some(4_476),
        (Arch::Aarch64, 2) => Some(7_833),
        (Arch::Aarch64, 4) => Some(8_354),
        (Arch::Aarch64, 8) => Some(10_290),
        (Arch::Aarch64, 64) => Some(37_079),
        _ => None,
    }
}

/// The kernel to compare `arch` with.
pub const fn of(arch: Arch) -> Linux {
    match arch {
        Arch::X86_64 => Linux {
            name: "cloud-amd64",
            boot: 1_546_157_702,
            secondary: 591_645,
            image: 14_149_568,
            memory: 68_792,
        },
        Arch::I386 => Linux {
            name: "686-pae",
            boot: 6_826_791_655,
            secondary: 11_031_460,
            image: 5_760_960,
            memory: 33_348,
        },
        Arch::Aarch64 => Linux {
            name: "arm64",
            boot: 882_893_620,
            secondary: 319_296,
            image: 32_956_352,
            memory: 58_196,
        },
    }
}
