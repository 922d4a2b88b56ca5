// switch_thread(prev: *mut usize, next: usize): saves what a call preserves on the running stack, stores the stack
// pointer to *prev, continues at next.

.cfi_sections .debug_frame            // for debuggers; the image carries no unwind tables

.section .text.switch, "ax"
.global switch_thread
switch_thread:
    sub     sp, sp, #{SIZE}
    stp     x19, x20, [sp, #(16 * 0)]
    stp     x21, x22, [sp, #(16 * 1)]
    stp     x23, x24, [sp, #(16 * 2)]
    stp     x25, x26, [sp, #(16 * 3)]
    stp     x27, x28, [sp, #(16 * 4)]
    stp     x29, x30, [sp, #{FP}]
    mov     x2, sp
    str     x2, [x0]
    mov     sp, x1
    ldp     x19, x20, [sp, #(16 * 0)]
    ldp     x21, x22, [sp, #(16 * 1)]
    ldp     x23, x24, [sp, #(16 * 2)]
    ldp     x25, x26, [sp, #(16 * 3)]
    ldp     x27, x28, [sp, #(16 * 4)]
    ldp     x29, x30, [sp, #{FP}]
    add     sp, sp, #{SIZE}
    ret

// The first return of a new thread's switch_thread: x19 = entry, x20 = its argument. Zeroes end a backtrace of the kernel's own.
.cfi_startproc
.cfi_undefined x30                     // this, a debugger's; the entry says the same of itself
.global thread_start
thread_start:
    mov     x0, x20
    mov     x29, xzr
    mov     x30, xzr
    br      x19
.cfi_endproc
