//! Standing still: what a CPU does last.

use core::arch::{asm, global_asm};
use core::mem::MaybeUninit;

use aarch64_cpu::asm::barrier;
use kernel::arch::StopOps;
use smp_stop::Registers;

use crate::exceptions::Frame;
use crate::smp::masking;
use crate::{Aarch64, gic, smp, timer};

global_asm!(include_str!("park.s"));

unsafe extern "C" {
    fn park_page(leave: u64) -> !;
}

/// `EM_AARCH64` of the ELF specification for the architecture. The words after it: x0 to x30, PSTATE, and for an
/// exception ESR_EL1 and FAR_EL1.
const MACHINE: u16 = 183;

/// How often a waiting CPU looks, if it can sleep meanwhile.
const TURNS_PER_SECOND: u64 = 200_000;

/// Fills in the registers of interrupted code, all but those that name an exception's cause.
pub fn fill(frame: &Frame, out: &mut Registers) {
    out.begin(MACHINE, frame.pc, frame.sp, frame.x[29]);
    out.extend(&frame.x);
    out.push(frame.pstate);
}

/// As [`fill`], with the cause.
pub fn fill_exception(frame: &Frame, out: &mut Registers) {
    fill(frame, out);
    out.push(frame.esr);
    out.push(frame.far);
}

impl StopOps for Aarch64 {
    #[inline(always)]
    fn save_regs(out: &mut Registers) {
        let mut x = [MaybeUninit::<u64>::uninit(); 31];
        let (pc, sp, flags, daif): (u64, u64, u64, u64);
        // SAFETY: stores 31 registers to the array of 31, and reads others.
        unsafe {
            asm!(
                "stp x0, x1, [{x}]",
                "stp x2, x3, [{x}, #16]",
                "stp x4, x5, [{x}, #32]",
                "stp x6, x7, [{x}, #48]",
                "stp x8, x9, [{x}, #64]",
                "stp x10, x11, [{x}, #80]",
                "stp x12, x13, [{x}, #96]",
                "stp x14, x15, [{x}, #112]",
                "stp x16, x17, [{x}, #128]",
                "stp x18, x19, [{x}, #144]",
                "stp x20, x21, [{x}, #160]",
                "stp x22, x23, [{x}, #176]",
                "stp x24, x25, [{x}, #192]",
                "stp x26, x27, [{x}, #208]",
                "stp x28, x29, [{x}, #224]",
                "str x30, [{x}, #240]",
                "adr {pc}, .",
                "mov {sp}, sp",
                "mrs {flags}, nzcv",
                "mrs {daif}, daif",
                x = in(reg) x.as_mut_ptr(),
                pc = out(reg) pc,
                sp = out(reg) sp,
                flags = out(reg) flags,
                daif = out(reg) daif,
                options(nostack, preserves_flags)
            );
        }
        /// Mode and stack of all kernel code.
        const EL1H: u64 = 5;
        // SAFETY: all 31 were stored.
        let x = x.map(|word| unsafe { word.assume_init() });
        out.begin(MACHINE, pc, sp, x[29]);
        out.extend(&x);
        out.push(flags | daif | EL1H);
    }

    fn relax() {
        masking::swapped(|| timer::nap(TURNS_PER_SECOND));
    }

    /// No cache needs cleaning: whoever reads what this CPU wrote does so through the same coherent memory.
    ///
    /// The timer must not ask for an interrupt when power goes: QEMU 7.2 forgets the timer then, but not that it asked, and
    /// whoever starts the CPU again cannot make it stop by turning off what is off already.
    fn quiesce() {
        timer::silence();
        gic::quiesce_cpu();
        barrier::dsb(barrier::SY);
    }

    fn park() -> ! {
        // SAFETY: masks everything, stores nowhere, never comes back.
        unsafe { park_page(smp::leave()) }
    }
}
