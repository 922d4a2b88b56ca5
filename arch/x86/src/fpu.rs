//! Floating point, which the kernels do without: for firmware only.

use core::arch::asm;

use crate::cpu::{self, Features};
use crate::regs::{self, CR0_EM, CR0_MP, CR0_TS, CR4_OSFXSR, CR4_OSXMMEXCPT};

/// Calls `call` with the x87 unit and, where there is one, SSE on and as UEFI wants them (2.10, 2.3.2 and 2.3.4): all
/// exceptions masked, rounding to nearest. Interrupts are off. Nobody else's registers are in there, so nothing is saved.
pub fn with<R>(call: impl FnOnce() -> R) -> R {
    /// MXCSR: all exceptions masked, round to nearest.
    const MXCSR: u32 = 0x1f80;
    let (cr0, cr4) = (regs::cr0(), regs::cr4());
    let (fpu, sse) = (cpu::has(Features::FPU), cpu::has(Features::SSE));
    // SAFETY: the bits only stop instructions from trapping, and the CPU has the features that it says it has.
    unsafe {
        if fpu {
            regs::set_cr0(cr0 & !(CR0_EM | CR0_TS) | CR0_MP);
            asm!("fninit", options(nomem, nostack));
        }
        if sse {
            regs::set_cr4(cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT);
            asm!("ldmxcsr [{}]", in(reg) &MXCSR, options(readonly, nostack));
        }
    }
    let result = call();
    // SAFETY: as they were.
    unsafe {
        regs::set_cr4(cr4);
        regs::set_cr0(cr0);
    }
    result
}
