# The way into the kernel. The CPU has pushed ss, rsp, rflags, cs, rip and, for some exceptions, an error code; each vector
# makes the rest of `TrapFrame` alike.

.section .text.trap, "ax", @progbits
.code64
.cfi_sections .debug_frame           # for debuggers; the image carries no unwind tables

.balign 16
.globl trap_vectors
trap_vectors:
.set vector, 0
.rept 256
    .balign 16
    .if vector >= 32 || !(({with_error_code} >> vector) & 1)
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
.endr

# The NMI has a stack of its own, and the CPU begins at its top again should an NMI come inside the handler of another. It
# cannot, as a rule: NMIs are held until an iret, and an exception inside the handler never gets to one. But system management
# mode may forget that they were (SDM Vol. 3C, 32.8). So what the CPU pushed is moved away from the top at once: below what
# is in use where the interrupted code ran on this stack, to the next line where it did not. From there on one NMI inside another
# is like any interrupt.
#
# In the few instructions before that the inner frame overwrites the outer one, and there is no way back. The error code says so.
.globl nmi_entry
nmi_entry:
    pushq %rax
    pushq %rdx
    # From here up: rdx, rax, rip, cs, rflags, rsp, ss, and the top of the stack.
    movq 2 * 8(%rsp), %rax
    leaq nmi_entry(%rip), %rdx
    subq %rdx, %rax
    cmpq $(nmi_moved - nmi_entry), %rax
    sbbl %edx, %edx
    movq %rsp, %rax
    jc 1f
    leaq 7 * 8 - 1(%rsp), %rax
    subq 5 * 8(%rsp), %rax
    cmpq ${nmi_stack}, %rax
    movq %rsp, %rax
    jae 1f
    movq 5 * 8(%rsp), %rax
1:  negl %edx
    andq $-16, %rax
    xchgq %rsp, %rax
    pushq 6 * 8(%rax)
    pushq 5 * 8(%rax)
    pushq 4 * 8(%rax)
    pushq 3 * 8(%rax)
    pushq 2 * 8(%rax)
    pushq %rdx
    pushq $2
    movq (%rax), %rdx
    movq 8(%rax), %rax
nmi_moved:
    # Fall through.

trap_common:
    cld
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    # What looks like the frame of a function that was called from the interrupted instruction, so that a backtrace out
    # of the handler goes on there.
    pushq 17 * 8(%rdi)
    pushq %rbp
    movq %rsp, %rbp
    # The CPU aligned the stack to 16 bytes before it pushed; 24 words later it is aligned again.
    # A debugger goes on there by this: the frame ends 24 words above %rbp.
.cfi_startproc
.cfi_def_cfa %rbp, 24 * 8
.cfi_offset %rsp, -2 * 8
.cfi_offset %rip, -5 * 8
.cfi_offset %rax, -8 * 8
.cfi_offset %rcx, -9 * 8
.cfi_offset %rdx, -10 * 8
.cfi_offset %rbx, -11 * 8
.cfi_offset %rbp, -12 * 8
.cfi_offset %rsi, -13 * 8
.cfi_offset %rdi, -14 * 8
.cfi_offset %r8, -15 * 8
.cfi_offset %r9, -16 * 8
.cfi_offset %r10, -17 * 8
.cfi_offset %r11, -18 * 8
.cfi_offset %r12, -19 * 8
.cfi_offset %r13, -20 * 8
.cfi_offset %r14, -21 * 8
.cfi_offset %r15, -22 * 8
    call {trap_entry}
.cfi_endproc
    popq %rbp
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq
