//! Access to the registers of the local APIC: a page of memory (xAPIC) or a range of MSRs (x2APIC).

use core::num::NonZeroUsize;

use crate::regs::{self, msr};

/// A register, by its place in the xAPIC page in units of 16 bytes, which is also its MSR number above 0x800
/// (SDM Vol. 3A, tables 11-1 and 11-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Reg {
    Id = 0x02,
    Version = 0x03,
    TaskPriority = 0x08,
    ProcessorPriority = 0x0a,
    Eoi = 0x0b,
    LogicalDestination = 0x0d,
    SpuriousVector = 0x0f,
    ErrorStatus = 0x28,
    Command = 0x30,
    CommandHigh = 0x31,
    LvtTimer = 0x32,
    LvtThermal = 0x33,
    LvtPerformance = 0x34,
    LvtLint0 = 0x35,
    LvtLint1 = 0x36,
    LvtError = 0x37,
    InitialCount = 0x38,
    CurrentCount = 0x39,
    DivideConfiguration = 0x3e,
}

/// How the registers are reached. All CPUs of a machine use the same way at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// xAPIC: the page of registers is mapped, uncached, at this address on every CPU.
    Page(NonZeroUsize),
    /// x2APIC: by MSR.
    Msr,
}

impl Access {
    /// Reads a register.
    #[inline]
    pub fn read(self, reg: Reg) -> u32 {
        match self {
            // SAFETY: the page is mapped for as long as the kernel runs (contract of `Access::Page`), and no
            // register of the local APIC changes state by being read.
            Self::Page(base) => unsafe { Self::slot(base, reg as u32).read_volatile() },
            // SAFETY: `Access::Msr` is made only once x2APIC mode is on, and `Reg` names only registers that exist.
            Self::Msr => unsafe { regs::rdmsr(msr::X2APIC + reg as u32) as u32 },
        }
    }

    /// Writes a register.
    ///
    /// # Safety
    ///
    /// What the write makes this or another CPU do (take an interrupt, start, stop) must be prepared for.
    #[inline]
    pub unsafe fn write(self, reg: Reg, value: u32) {
        match self {
            // SAFETY: mapped as in `read`; the effect is the caller's promise.
            Self::Page(base) => unsafe { Self::slot(base, reg as u32).write_volatile(value) },
            // SAFETY: as in `read`; the effect is the caller's promise.
            Self::Msr => unsafe { regs::wrmsr(msr::X2APIC + reg as u32, value.into()) },
        }
    }

    const fn slot(base: NonZeroUsize, reg: u32) -> *mut u32 {
        core::ptr::with_exposed_provenance_mut(base.get() + reg as usize * 16)
    }
}
