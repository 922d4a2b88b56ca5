//! The per-CPU base register.

use cpumask::CpuId;

use super::HwId;

/// The per-CPU base register.
pub trait PerCpuOps: percpu::ThisCpu {
    /// Writes the header of a new area: the stack canary the CPU starts with, where the ABI keeps it there (x86). Done by
    /// the boot CPU before the area is anybody's base, so that functions entered under one base may return under another.
    ///
    /// # Safety
    /// `area` is a filled area that is nobody's base yet (a UP build passes the section itself, which is).
    unsafe fn fill_header(area: usize, canary: usize);

    /// Makes `area` (see [`percpu::area`]; a UP build passes the section itself) the executing CPU's base, along with
    /// whatever per-CPU descriptor tables live in it.
    ///
    /// # Safety
    /// `area` must be a filled area that no other CPU uses. Interrupts are off.
    unsafe fn install(cpu: CpuId, area: usize);

    /// Identifies the executing CPU by hardware, with no per-CPU base: for panics on a CPU nobody set up.
    fn hw_id() -> HwId;
}
