# The way into the kernel. The CPU has pushed ss, rsp, rflags, cs, rip and, for some exceptions, an error code; each vector
# makes the rest of `TrapFrame` alike.

.section .text.trap, "ax", @progbits
.code64

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
    call {trap_entry}
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
