//! The ends of a machine's life.

use core::arch::asm;

use kernel::arch::{Go, PowerOps, Way};

use crate::{Aarch64, cpu, psci};

const PSCI_RESET: Way = Way {
    name: "psci",
    is_there: psci::is_there,
    go: Go::Direct(|| {
        let why = psci::system_reset();
        kernel::println!("PSCI SYSTEM_RESET: {why}");
    }),
};

const PSCI_OFF: Way = Way {
    name: "psci",
    is_there: psci::is_there,
    go: Go::Direct(|| {
        let why = psci::system_off();
        kernel::println!("PSCI SYSTEM_OFF: {why}");
    }),
};

const EFI_RESET: Way = Way {
    name: "efi",
    is_there: kernel::efi::can_reset,
    go: Go::Direct(kernel::efi::reset::<Aarch64>),
};

const EFI_OFF: Way = Way {
    name: "efi",
    is_there: kernel::efi::can_reset,
    go: Go::Direct(kernel::efi::power_off::<Aarch64>),
};

impl PowerOps for Aarch64 {
    /// Firmware first: it may have something to do before the machine is reset (UEFI 2.10, 8.5.1), and calls PSCI itself.
    fn resets() -> &'static [Way] {
        &[EFI_RESET, PSCI_RESET]
    }

    fn power_offs() -> &'static [Way] {
        &[EFI_OFF, PSCI_OFF]
    }

    fn write_back(va: usize, len: usize) {
        cpu::write_back(va, len);
    }

    fn halt() -> ! {
        // SAFETY: masking every exception touches no memory; nothing runs after.
        unsafe { asm!("msr daifset, #0xf", options(nostack, preserves_flags)) };
        loop {
            aarch64_cpu::asm::wfi();
        }
    }

    const DEATH: &'static str = PSCI_RESET.name;

    /// aarch64 knows no triple fault: with vectors that cannot be fetched the CPU takes instruction aborts for ever, and
    /// a watchdog resets the machine. This is the watchdog; without PSCI, the aborts.
    fn die() -> ! {
        let _ = psci::system_reset();
        Self::lose_vectors();
        Self::halt()
    }

    fn lose_vectors() {
        // SAFETY: whatever happens is what was asked for.
        unsafe { asm!("msr vbar_el1, xzr", "isb", "udf #0") }
    }

    fn undefined_instruction() {
        // SAFETY: taken as an exception, which does not return.
        unsafe { asm!("udf #0", options(nostack)) };
    }
}
