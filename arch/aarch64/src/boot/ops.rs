//! Boot as the generic kernel asks for it.

use core::ops::Range;
use core::sync::atomic::Ordering;

use aarch64_cpu::asm::random::ArmRng;
use boot_info::fdt::EnableMethod;
use boot_info::{BootInfo, MemRegion};
use kernel::arch::Platform;
use kernel::arch::{Arch, BootOps, EarlyRam, HwId};

use super::{BOOT_CYCLES, BOOT_EL};
use crate::{Aarch64, acpi, console, cpu, devicetree, mmu, psci, timer};

impl Arch for Aarch64 {
    const NAME: &'static str = "aarch64";
}

impl BootOps for Aarch64 {
    fn entry_cycles() -> u64 {
        BOOT_CYCLES.load(Ordering::Relaxed)
    }

    /// RNDR (FEAT_RNG) where the CPU has it, the loader's rng-seed and kaslr-seed, and the counter.
    fn entropy() -> usize {
        let hardware = ArmRng::new().and_then(|rng| rng.rndr()).unwrap_or(0);
        let mixed = hardware ^ devicetree::boot().seed.word() ^ timer::counter().rotate_left(32);
        // An odd constant's multiples spread the counter's few changing bits over the word.
        (mixed ^ timer::counter()).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize
    }

    fn boot_info(info: &mut BootInfo) -> Result<(), &'static str> {
        devicetree::copy_boot(info);
        console::report();
        devicetree::outcome()
    }

    fn memory_map(
        info: &BootInfo,
        seen: &mut dyn FnMut(Range<u64>),
        each: &mut dyn FnMut(MemRegion),
    ) -> Result<(), &'static str> {
        devicetree::memory_map(info, seen, each)
    }

    /// The device tree's memory is in the map as reserved, and the image holds everything else.
    fn reserve(_ram: &mut EarlyRam<'_>) {}

    fn image_phys() -> Range<u64> {
        mmu::image_pa()..mmu::image_end_pa()
    }

    fn discover(info: &BootInfo, platform: &mut Platform) -> Result<(), &'static str> {
        platform.cpu_source = "FDT";
        // A tree that describes no machine is the loader's own, which hands firmware on.
        if let Some(rsdp) = info.rsdp.filter(|_| devicetree::info().gic.is_none()) {
            acpi::describe(rsdp, platform)?;
            platform.cpu_source = "MADT";
        }
        let tree = devicetree::info();
        platform.start_method = psci::name();
        platform.cpus_dropped = tree.cpus_dropped as usize;
        let startable = |e: EnableMethod| e == EnableMethod::Psci && psci::conduit().is_some();
        let me = cpu::mpidr_affinity();
        for cpu in &tree.cpus {
            if cpu.hw_id == me || startable(cpu.enable) {
                platform.add_cpu(HwId(cpu.hw_id));
            } else {
                kernel::warning!(
                    "CPU {:#x} stays off: no way to start it ({:?})",
                    cpu.hw_id,
                    cpu.enable
                );
            }
        }
        report(tree);
        match platform.cpus.is_empty() {
            true => Err("the device tree lists no CPU"),
            false => Ok(()),
        }
    }
}

fn report(tree: &boot_info::fdt::FdtInfo) {
    kernel::info!(
        "aarch64: entered at EL{}, image at {:#x}",
        BOOT_EL.load(Ordering::Relaxed),
        mmu::image_pa()
    );
    match psci::version() {
        Some((major, minor)) => kernel::info!("{}: version {major}.{minor}", psci::name()),
        None => kernel::warning!("no PSCI: neither power-off nor reset, and no second CPU"),
    }
    if tree.cpus_bad + tree.cpus_disabled > 0 {
        kernel::warning!(
            "device tree: {} CPU nodes without a usable reg, {} disabled",
            tree.cpus_bad,
            tree.cpus_disabled
        );
    }
}
