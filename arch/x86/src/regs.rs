//! Control registers, model-specific registers and the time-stamp counter, for both widths.

use core::arch::asm;

/// CR0: pages that are mapped read-only are read-only for ring 0 too (SDM Vol. 3A, 2.5).
pub const CR0_WP: usize = 1 << 16;
/// CR4: pages of 4 MiB.
pub const CR4_PSE: usize = 1 << 4;
/// CR4: table entries have 64 bits. Changes only while paging is off.
pub const CR4_PAE: usize = 1 << 5;
/// CR0: WAIT traps too while TS is set.
pub const CR0_MP: usize = 1 << 1;
/// CR0: floating-point instructions trap.
pub const CR0_EM: usize = 1 << 2;
/// CR0: floating-point instructions trap once, for somebody to load the registers.
pub const CR0_TS: usize = 1 << 3;
/// CR4: SSE instructions may be used.
pub const CR4_OSFXSR: usize = 1 << 9;
/// CR4: their exceptions have a vector of their own.
pub const CR4_OSXMMEXCPT: usize = 1 << 10;
/// CR4: global pages survive a write of CR3.
pub const CR4_PGE: usize = 1 << 7;
/// CR4: a machine check is reported as exception 18; without this bit it shuts the machine down.
pub const CR4_MCE: usize = 1 << 6;
/// CR4: user mode cannot read where the descriptor tables are.
pub const CR4_UMIP: usize = 1 << 11;
/// CR4: ring 0 does not execute user pages.
pub const CR4_SMEP: usize = 1 << 20;
/// CR4: ring 0 does not touch user pages.
pub const CR4_SMAP: usize = 1 << 21;
/// EFER: the no-execute bit of page-table entries is honoured.
pub const EFER_NXE: u64 = 1 << 11;

/// Model-specific registers by number (SDM Vol. 4).
pub mod msr {
    /// `IA32_APIC_BASE`.
    pub const APIC_BASE: u32 = 0x1b;
    /// `IA32_TSC_DEADLINE`.
    pub const TSC_DEADLINE: u32 = 0x6e0;
    /// First of the x2APIC registers; register `n` of the xAPIC page (offset `16 n`) is at `X2APIC + n`.
    pub const X2APIC: u32 = 0x800;
    /// `IA32_EFER`.
    pub const EFER: u32 = 0xc000_0080;
    /// `IA32_GS_BASE`.
    pub const GS_BASE: u32 = 0xc000_0101;
}

macro_rules! control_register {
    ($read:ident, $write:ident, $name:literal) => {
        #[doc = concat!("Reads ", $name, ".")]
        #[inline(always)]
        pub fn $read() -> usize {
            let value: usize;
            // SAFETY: reading a control register has no effect.
            unsafe { asm!(concat!("mov {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
            value
        }

        #[doc = concat!("Writes ", $name, ".")]
        ///
        /// # Safety
        ///
        /// What the new value changes about paging and protection must hold for all code and data in use, and the
        /// CPU must have each feature whose bit is set.
        #[inline(always)]
        pub unsafe fn $write(value: usize) {
            // SAFETY: the caller's promise; no `nomem`, the write orders memory accesses around it.
            unsafe { asm!(concat!("mov ", $name, ", {}"), in(reg) value, options(nostack, preserves_flags)) };
        }
    };
}

control_register!(cr0, set_cr0, "cr0");
control_register!(cr3, set_cr3, "cr3");
control_register!(cr4, set_cr4, "cr4");

/// The linear address of the last page fault on this CPU.
#[inline(always)]
pub fn cr2() -> usize {
    let value: usize;
    // SAFETY: reading a control register has no effect.
    unsafe { asm!("mov {}, cr2", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Reads a model-specific register.
///
/// # Safety
///
/// The CPU must have the register; without it the read raises #GP.
#[inline(always)]
pub unsafe fn rdmsr(msr: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller's promise.
    unsafe {
        asm!("rdmsr", in("ecx") msr, out("eax") low, out("edx") high, options(nostack, preserves_flags))
    };
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
///
/// # Safety
///
/// The CPU must have the register and allow the value, and what the value changes must hold for all code in use.
#[inline(always)]
pub unsafe fn wrmsr(msr: u32, value: u64) {
    let (low, high) = (value as u32, (value >> 32) as u32);
    // SAFETY: the caller's promise.
    unsafe { asm!("wrmsr", in("ecx") msr, in("eax") low, in("edx") high, options(nostack, preserves_flags)) };
}

/// Reads the time-stamp counter, in ticks since reset. May be executed a few instructions early, where
/// nothing serialises.
#[inline(always)]
pub fn rdtsc() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: every CPU since the Pentium has the instruction, and CR4.TSD is left clear.
    unsafe { asm!("rdtsc", out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Drops every translation of the executing CPU, global ones too (SDM Vol. 3A, 4.10.4.1: a change of CR4.PGE does).
pub fn flush_global() {
    let cr4 = cr4();
    // SAFETY: the second write restores the first's change; in between more is flushed than needed, never less. Without
    // global pages CR3 itself is written again.
    unsafe {
        if cr4 & CR4_PGE == 0 {
            set_cr3(cr3());
        } else {
            set_cr4(cr4 & !CR4_PGE);
            set_cr4(cr4);
        }
    }
}
