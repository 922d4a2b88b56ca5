//! Protections a CPU may have beyond the baseline; switched on once per CPU, when it runs on the final tables.

use core::arch::asm;

use aarch64_cpu::registers::{ID_AA64MMFR1_EL1, SCTLR_EL1};
use tock_registers::interfaces::{ReadWriteable, Readable, Writeable};

/// WXN: what is writable is never executed, whatever the tables say. They say the same; this holds them to it.
/// PAN: the kernel does not touch memory user mode can, except by instructions made for it. There is no user mode yet,
/// so every such access is a bug.
pub fn enable() {
    SCTLR_EL1.modify(SCTLR_EL1::WXN::Enable);
    // SAFETY: the final tables have no page that is both writable and executed. TLB entries may hold WXN's old value.
    unsafe {
        asm!(
            "isb",
            "tlbi vmalle1",
            "dsb nsh",
            "isb",
            options(nostack, preserves_flags)
        )
    };
    if ID_AA64MMFR1_EL1.read(ID_AA64MMFR1_EL1::PAN) != 0 {
        // SPAN = 0: every exception taken to EL1 sets PAN.
        const SPAN: u64 = 1 << 23;
        SCTLR_EL1.set(SCTLR_EL1.get() & !SPAN);
        // SAFETY: no page is accessible to EL0. `.inst` because the baseline's assembler does not know `msr pan, #1`.
        unsafe { asm!(".inst 0xd500419f", "isb", options(nostack, preserves_flags)) };
    }
}
