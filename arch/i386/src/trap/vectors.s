# The way into the kernel. The CPU has pushed eflags, cs, eip and, for some exceptions, an error code; each vector makes the
# rest of `TrapFrame` alike. There is no user mode: the stack is the interrupted thread's, and the segments are right.

.section .text.trap, "ax", @progbits
.code32
.cfi_sections .debug_frame           # for debuggers; the image carries no unwind tables

.balign 16
.globl trap_vectors
trap_vectors:
.set vector, 0
.rept 256
    .balign 16
    .if vector >= 32 || !(({with_error_code} >> vector) & 1)
    pushl $0
    .endif
    pushl $vector
    jmp trap_common
    .set vector, vector + 1
.endr

trap_common:
    cld
    pushal
    movl %esp, %eax
    # What looks like the frame of a function that was called from the interrupted instruction, so that a backtrace out
    # of the handler goes on there.
    pushl 10 * 4(%eax)
    pushl %ebp
    movl %esp, %ebp
    # Nobody aligned the stack: the ABI wants the argument at a multiple of 16.
    andl $-16, %esp
    subl $12, %esp
    pushl %eax
    # A debugger goes on there by this: the interrupted stack begins 15 words above %ebp.
.cfi_startproc
.cfi_def_cfa %ebp, 15 * 4
.cfi_offset %eip, -3 * 4
.cfi_offset %eax, -6 * 4
.cfi_offset %ecx, -7 * 4
.cfi_offset %edx, -8 * 4
.cfi_offset %ebx, -9 * 4
.cfi_offset %ebp, -11 * 4
.cfi_offset %esi, -12 * 4
.cfi_offset %edi, -13 * 4
    call {trap_entry}
.cfi_endproc
    leal 2 * 4(%ebp), %esp
    popal
    addl $8, %esp
    iretl
