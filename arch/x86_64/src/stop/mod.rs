//! Standing still.

use core::arch::{global_asm, naked_asm};
use core::mem::{MaybeUninit, offset_of};

use kernel::arch::StopOps;
use smp_stop::Registers;

use crate::X8664;
use crate::trap::TrapFrame;

global_asm!(include_str!("park.s"), options(att_syntax));

unsafe extern "C" {
    /// Stands still; interrupts off.
    safe fn park() -> !;
}

impl StopOps for X8664 {
    #[inline(always)]
    fn save_regs(out: &mut Registers) {
        let mut frame = MaybeUninit::uninit();
        // SAFETY: `capture` fills all of the frame.
        let frame = unsafe {
            capture(frame.as_mut_ptr());
            frame.assume_init()
        };
        arch_x86::stop::fill(&frame, out);
    }

    fn relax() {
        core::hint::spin_loop();
    }

    fn quiesce() {
        arch_x86::stop::quiesce();
    }

    fn park() -> ! {
        park()
    }
}

/// Writes the registers as its caller finds them when it returns, but for the flags a handler would have saved: they, too,
/// are the caller's.
///
/// # Safety
/// `out` can be written.
#[unsafe(naked)]
unsafe extern "C" fn capture(out: *mut TrapFrame) {
    naked_asm!(
        "mov [rdi + {r15}], r15",
        "mov [rdi + {r15} + 0x08], r14",
        "mov [rdi + {r15} + 0x10], r13",
        "mov [rdi + {r15} + 0x18], r12",
        "mov [rdi + {r15} + 0x20], r11",
        "mov [rdi + {r15} + 0x28], r10",
        "mov [rdi + {r15} + 0x30], r9",
        "mov [rdi + {r15} + 0x38], r8",
        "mov [rdi + {r15} + 0x40], rdi",
        "mov [rdi + {r15} + 0x48], rsi",
        "mov [rdi + {r15} + 0x50], rbp",
        "mov [rdi + {r15} + 0x58], rbx",
        "mov [rdi + {r15} + 0x60], rdx",
        "mov [rdi + {r15} + 0x68], rcx",
        "mov [rdi + {r15} + 0x70], rax",
        // Neither vector nor error code.
        "xor eax, eax",
        "mov [rdi + {r15} + 0x78], rax",
        "mov [rdi + {r15} + 0x80], rax",
        "mov rax, [rsp]",
        "mov [rdi + {rip}], rax",
        "mov rax, cs",
        "mov [rdi + {rip} + 0x08], rax",
        "pushfq",
        "pop [rdi + {rip} + 0x10]",
        "lea rax, [rsp + 8]",
        "mov [rdi + {rip} + 0x18], rax",
        "mov rax, ss",
        "mov [rdi + {rip} + 0x20], rax",
        "ret",
        r15 = const offset_of!(TrapFrame, r15),
        rip = const offset_of!(TrapFrame, rip),
    )
}
