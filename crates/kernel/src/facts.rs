//! What is known of this machine: written while it boots, read ever after.

use core::fmt;

use boot_info::BootInfo;

use crate::arch::Platform;
use crate::irq::Lock;

/// What the boot loader said. Filled by `setup_arch`.
pub(crate) static BOOT: Lock<BootInfo> = Lock::new(BootInfo::EMPTY);
/// What the firmware tables said.
pub(crate) static PLATFORM: Lock<Platform> = Lock::new(Platform::EMPTY);

/// Says what in ACPI's tables is not as it should be, a line for each kind: whether it is a fault, and what it is.
pub fn report(oddities: impl Iterator<Item = (bool, impl fmt::Display)>) {
    for (is_fault, oddity) in oddities {
        match is_fault {
            true => crate::warning!("acpi: {oddity}"),
            false => crate::info!("acpi: {oddity}"),
        }
    }
}
