//! What the boot loader left, and the machine that firmware describes.

use core::ops::Range;

use boot_info::cmdline::Param;
use boot_info::{BootInfo, MemRegion};

use super::{EarlyRam, Platform};

/// From the first Rust instruction to the end of `setup_arch`. Boot CPU only, interrupts off.
pub trait BootOps {
    /// Words of the command line that only this architecture knows. They are read before memory is set up.
    const PARAMS: &'static [Param] = &[];

    /// The cycle counter as it stood at the kernel's first instruction.
    fn entry_cycles() -> u64;

    /// Whatever randomness the hardware and the boot loader give, mixed with the cycle counter; never blocks.
    /// May be weak on machines without a source; is never constant.
    fn entropy() -> usize;

    /// Fills `info` from what the boot loader handed over. Damaged input leaves fields empty and is logged.
    ///
    /// # Errors
    /// A sentence, when there is nothing to boot from (no memory map at all).
    fn boot_info(info: &mut BootInfo) -> Result<(), &'static str>;

    /// Reads the loader's memory map once more: each of the regions that [`Self::boot_info`] put into `info`, or folded into
    /// others, goes to `each`, and each range of memory that was looked at for it to `seen`. Before the final page tables.
    ///
    /// # Errors
    /// A sentence, when it cannot be read to its end.
    fn memory_map(
        info: &BootInfo,
        seen: &mut dyn FnMut(Range<u64>),
        each: &mut dyn FnMut(MemRegion),
    ) -> Result<(), &'static str>;

    /// Reserves what only the architecture knows: firmware areas in use, the blob the device tree lies in, low memory
    /// the AP trampoline needs. RAM is already added; image and initrd are already reserved.
    fn reserve(ram: &mut EarlyRam<'_>);

    /// Where the image lies: physical addresses of `_text` .. `_end`.
    fn image_phys() -> Range<u64>;

    /// Reads the CPU list and the devices the kernel itself needs from ACPI or the device tree. The final page tables
    /// are on; [`crate::mm::firmware_slice`] and [`crate::mm::ioremap`] work; there is no heap yet.
    ///
    /// # Errors
    /// A sentence. The kernel goes on with what `platform` holds then: at least the boot CPU.
    fn discover(info: &BootInfo, platform: &mut Platform) -> Result<(), &'static str>;
}
