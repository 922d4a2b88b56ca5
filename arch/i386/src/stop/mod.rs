//! Standing still.

use core::arch::{global_asm, naked_asm};
use core::mem::offset_of;

use arch_x86::desc::TaskState;
use kernel::arch::StopOps;
use smp_stop::Registers;

use crate::I386;
use crate::trap::TaskFrame;

global_asm!(include_str!("park.s"), options(att_syntax));

unsafe extern "C" {
    /// Stands still; interrupts off.
    safe fn park() -> !;
}

impl StopOps for I386 {
    #[inline(always)]
    fn save_regs(out: &mut Registers) {
        let mut state = TaskState::EMPTY;
        // SAFETY: the state is there to be written.
        unsafe { capture(&mut state) };
        arch_x86::stop::fill(&TaskFrame { state, vector: 0 }, out);
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

/// Writes the registers as its caller finds them when it returns, as a task switch would.
///
/// # Safety
/// `out` can be written.
#[unsafe(naked)]
unsafe extern "C" fn capture(out: *mut TaskState) {
    naked_asm!(
        "mov eax, [esp + 4]",
        "mov [eax + {ecx}], ecx",
        "mov [eax + {edx}], edx",
        "mov [eax + {ebx}], ebx",
        "mov [eax + {ebp}], ebp",
        "mov [eax + {esi}], esi",
        "mov [eax + {edi}], edi",
        "mov [eax + {cs}], cs",
        "mov [eax + {ss}], ss",
        "pushfd",
        "pop [eax + {eflags}]",
        "lea ecx, [esp + 4]",
        "mov [eax + {esp}], ecx",
        "mov ecx, [esp]",
        "mov [eax + {eip}], ecx",
        "mov [eax + {eax}], eax",
        "ret",
        eip = const offset_of!(TaskState, eip),
        eflags = const offset_of!(TaskState, eflags),
        eax = const offset_of!(TaskState, eax),
        ecx = const offset_of!(TaskState, ecx),
        edx = const offset_of!(TaskState, edx),
        ebx = const offset_of!(TaskState, ebx),
        esp = const offset_of!(TaskState, esp),
        ebp = const offset_of!(TaskState, ebp),
        esi = const offset_of!(TaskState, esi),
        edi = const offset_of!(TaskState, edi),
        cs = const offset_of!(TaskState, cs),
        ss = const offset_of!(TaskState, ss),
    )
}
