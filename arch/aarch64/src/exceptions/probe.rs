//! Reading device registers that may not be there.

use core::arch::global_asm;

use super::Frame;

global_asm!(
    ".section .text.probe, \"ax\"",
    ".global probe_load",
    "probe_load:",
    "    ldr     w1, [x0]",
    "    orr     x0, x1, #(1 << 32)",
    "    ret",
    ".global probe_fault",
    "probe_fault:",
    "    mov     x0, xzr",
    "    ret",
);

unsafe extern "C" {
    fn probe_load(at: usize) -> u64;
    static probe_fault: u8;
}

/// Reads the 32-bit register at `at`; `None` if the access aborts, as one to an address with nothing behind it does.
///
/// # Safety
/// Reading must be harmless if there is a register.
pub unsafe fn read(at: usize) -> Option<u32> {
    // SAFETY: an abort continues at `probe_fault`; the caller vouches for the read.
    let result = unsafe { probe_load(at) };
    (result >> 32 != 0).then_some(result as u32)
}

/// Continues behind a probe that aborted; whether the exception was one.
pub fn fix_up(frame: &mut Frame) -> bool {
    let ours = frame.pc == probe_load as *const () as u64;
    if ours {
        frame.pc = (&raw const probe_fault).expose_provenance() as u64;
    }
    ours
}
