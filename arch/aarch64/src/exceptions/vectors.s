// The exception vectors (Arm ARM D1.3.1): 16 entries of 128 bytes, aligned to 2 KiB.
//
// An entry may not trust its stack: the stack may be what went wrong. So before the first store it asks the MMU, with
// an address translation instruction, whether the frame's lowest word could be written. That needs no memory and no
// per-CPU base, and is right for every stack there is, early ones and threads' alike. TPIDRRO_EL0 and TPIDR_EL0 are
// scratch here: there is no user space whose they would be.

.cfi_sections .debug_frame            // for debuggers; the image carries no unwind tables

.section .text.vectors, "ax"

// One vector: branch to \to with x0, x1 saved and the frame made, or to bad_stack with nothing saved.
.macro vector to
    .balign 128
    msr     tpidrro_el0, x0
    sub     x0, sp, #{FRAME_SIZE}
    tst     x0, #0xf                // SP alignment fault: every store through SP would fault again
    b.ne    bad_stack
    at      s1e1w, x0
    isb
    mrs     x0, par_el1
    tbnz    x0, #0, bad_stack       // PAR_EL1.F: a guard page, or nothing at all
    mrs     x0, tpidrro_el0
    sub     sp, sp, #{FRAME_SIZE}
    stp     x0, x1, [sp, #(16 * 0)]
    b       \to
.endm

// Saves the rest of the frame; x0, x1 are there already. Leaves a frame record that continues the interrupted code's
// chain of frame pointers, so a backtrace walks through the exception.
.macro save_frame
    stp     x2, x3, [sp, #(16 * 1)]
    stp     x4, x5, [sp, #(16 * 2)]
    stp     x6, x7, [sp, #(16 * 3)]
    stp     x8, x9, [sp, #(16 * 4)]
    stp     x10, x11, [sp, #(16 * 5)]
    stp     x12, x13, [sp, #(16 * 6)]
    stp     x14, x15, [sp, #(16 * 7)]
    stp     x16, x17, [sp, #(16 * 8)]
    stp     x18, x19, [sp, #(16 * 9)]
    stp     x20, x21, [sp, #(16 * 10)]
    stp     x22, x23, [sp, #(16 * 11)]
    stp     x24, x25, [sp, #(16 * 12)]
    stp     x26, x27, [sp, #(16 * 13)]
    stp     x28, x29, [sp, #(16 * 14)]
    mrs     x22, elr_el1
    mrs     x23, spsr_el1
    str     x30, [sp, #{FRAME_LR}]
    stp     x22, x23, [sp, #{FRAME_PC}]
    stp     x29, x22, [sp, #{FRAME_RECORD}]
    add     x29, sp, #{FRAME_RECORD}
.endm

.macro save_cause
    mrs     x22, esr_el1
    mrs     x23, far_el1
    stp     x22, x23, [sp, #{FRAME_ESR}]
.endm

// Calls \to with the frame. A debugger goes on in the interrupted code by the frame record, as the kernel's own backtrace
// does.
.macro handle to
    mov     x0, sp
.cfi_startproc
.cfi_def_cfa sp, {FRAME_SIZE}
.cfi_offset sp, {FRAME_SP} - {FRAME_SIZE}
.cfi_offset x29, {FRAME_RECORD} - {FRAME_SIZE}
.cfi_offset x30, {FRAME_RECORD} + 8 - {FRAME_SIZE}
    bl      \to
.cfi_endproc
.endm

.balign 2048
.global vectors
vectors:
    // From EL1 with SP_EL0, which nothing uses.
    vector  take_unexpected
    vector  take_unexpected
    vector  take_unexpected
    vector  take_unexpected
    // From EL1 with SP_EL1: all of the kernel.
    vector  take_sync
    vector  take_irq
    vector  take_unexpected         // FIQ: no source is routed there
    vector  take_serror
    // From EL0: there is none.
    .rept 8
    vector  take_unexpected
    .endr

take_sync:
    save_frame
    save_cause
    add     x0, sp, #{FRAME_SIZE}
    str     x0, [sp, #{FRAME_SP}]
    handle  handle_sync
    b       return_from_exception

take_irq:
    save_frame
    add     x0, sp, #{FRAME_SIZE}
    str     x0, [sp, #{FRAME_SP}]
    handle  handle_irq

return_from_exception:
    ldp     x22, x23, [sp, #{FRAME_PC}]
    msr     elr_el1, x22
    msr     spsr_el1, x23
    ldp     x0, x1, [sp, #(16 * 0)]
    ldp     x2, x3, [sp, #(16 * 1)]
    ldp     x4, x5, [sp, #(16 * 2)]
    ldp     x6, x7, [sp, #(16 * 3)]
    ldp     x8, x9, [sp, #(16 * 4)]
    ldp     x10, x11, [sp, #(16 * 5)]
    ldp     x12, x13, [sp, #(16 * 6)]
    ldp     x14, x15, [sp, #(16 * 7)]
    ldp     x16, x17, [sp, #(16 * 8)]
    ldp     x18, x19, [sp, #(16 * 9)]
    ldp     x20, x21, [sp, #(16 * 10)]
    ldp     x22, x23, [sp, #(16 * 11)]
    ldp     x24, x25, [sp, #(16 * 12)]
    ldp     x26, x27, [sp, #(16 * 13)]
    ldp     x28, x29, [sp, #(16 * 14)]
    ldr     x30, [sp, #{FRAME_LR}]
    add     sp, sp, #{FRAME_SIZE}
    eret

take_serror:
    save_frame
    save_cause
    add     x0, sp, #{FRAME_SIZE}
    str     x0, [sp, #{FRAME_SP}]
    handle  handle_serror           // does not return

take_unexpected:
    save_frame
    save_cause
    add     x0, sp, #{FRAME_SIZE}
    str     x0, [sp, #{FRAME_SP}]
    handle  handle_unexpected       // does not return

// The stack is no stack any more: continue on this CPU's overflow stack, or the boot CPU's while there is no area.
// x0 is in TPIDRRO_EL0, SP is what it was.
bad_stack:
    msr     tpidr_el0, x1
    mov     x0, sp
    mrs     x1, tpidr_el1
    cbz     x1, 1f
    ldr     x1, [x1, #{OVERFLOW_TOP}]
    cbnz    x1, 2f
1:  ldr     x1, ={OVERFLOW}
    add     x1, x1, #{OVERFLOW_STACK}
2:  sub     x0, x1, x0              // is this the overflow stack, or the page below it, that ran out?
    cmp     x0, #{OVERFLOW_REACH}
    b.lo    dead_stack
    sub     x0, x1, x0
    mov     sp, x1
    sub     sp, sp, #{FRAME_SIZE}
    str     x0, [sp, #{FRAME_SP}]
    mrs     x0, tpidrro_el0
    mrs     x1, tpidr_el0
    stp     x0, x1, [sp, #(16 * 0)]
    save_frame
    save_cause
    handle  handle_bad_stack        // does not return

// Out of stacks: nothing can be said any more.
.global dead_stack
dead_stack:
    wfi
    b       dead_stack
