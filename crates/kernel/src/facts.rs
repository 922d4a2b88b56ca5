//! What is known of this machine: written while it boots, read ever after.

use boot_info::BootInfo;

use crate::arch::Platform;
use crate::irq::Lock;

/// What the boot loader said. Filled by `setup_arch`.
pub(crate) static BOOT: Lock<BootInfo> = Lock::new(BootInfo::EMPTY);
/// What the firmware tables said.
pub(crate) static PLATFORM: Lock<Platform> = Lock::new(Platform::EMPTY);
