//! The two exceptions that a task gate leads to: the CPU saves everything to the interrupted task's state and loads
//! everything, stack and root table included, from the exception's own.

use core::arch::naked_asm;

use arch_x86::vectors;

use super::frame::TaskFrame;
use crate::I386;
use crate::tables::{self, DOUBLE_FAULT_TASK, NMI_TASK};

/// The double fault's task. The CPU has pushed an error code, always 0; nothing is returned to.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn double_fault_task() -> ! {
    naked_asm!(
        ".cfi_sections .debug_frame",
        ".cfi_startproc",
        ".cfi_undefined eip",
        "and esp, -16",
        "call {}",
        "ud2",
        ".cfi_endproc",
        sym double_fault,
    )
}

/// The NMI's task. `iret` switches back to the interrupted task and unmasks NMIs; the next one continues behind it.
///
/// None comes inside it: NMIs are held until an `iret`, and an exception inside never gets to one. Should system management
/// mode forget that (SDM Vol. 3C, 32.8), the gate leads to a task that is busy. That is a general protection fault, on this
/// task's stack: it parks the CPU if it has been asked to stop, as it would have been by the NMI, and else ends the kernel.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn nmi_task() -> ! {
    naked_asm!(
        ".cfi_sections .debug_frame",
        ".cfi_startproc",
        ".cfi_undefined eip",
        "2:",
        "call {}",
        "iretd",
        "jmp 2b",
        ".cfi_endproc",
        sym nmi,
    )
}

extern "C" fn double_fault() {
    handle(DOUBLE_FAULT_TASK, vectors::DOUBLE_FAULT);
}

extern "C" fn nmi() {
    handle(NMI_TASK, vectors::NMI);
}

fn handle(task: u16, vector: u8) {
    // SAFETY: the running task is the one named.
    let state = unsafe { tables::interrupted(task) };
    arch_x86::trap::dispatch::<I386>(&TaskFrame { state, vector });
}
