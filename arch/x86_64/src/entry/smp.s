# The secondary CPU's way from protected mode to Rust. The first part belongs to the trampoline.

# In: %ebp = blob, %esi = slot.
smp_enter:
    movl SMP_CR4(%ebp), %eax
    movl %eax, %cr4
    movl SMP_ROOT(%ebp), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx              # EFER
    rdmsr
    orl SMP_EFER(%ebp), %eax
    wrmsr
    movl $0x80010035, %eax              # CR0, as on the boot CPU
    movl %eax, %cr0
    ljmpl *SMP_PAGED(%ebp)

.code64
smp_paged:
    movl %ebp, %ebp                     # the upper halves are undefined here
    movl %esi, %esi
    movq 8(%rsi), %rbx                  # %rbx: the block, from here on
    movq $smp_high, %rax
    jmp *%rax

.code32
# Come too late: back to where there is no paging, and no table the kernel may take away.
smp_leave:
    movl %cr0, %eax
    andl $0x7fffffff, %eax
    movl %eax, %cr0
    movl $0xc0000080, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    movl %eax, %cr4
    jmp smp_park

.globl smp_trampoline_end
smp_trampoline_end:

.section .text.smp_high, "ax", @progbits
.code64
.cfi_sections .debug_frame           # for debuggers; the image carries no unwind tables
.cfi_startproc
.cfi_undefined %rip                     # a debugger's backtrace ends here
smp_high:
    cmpl $SMP_REVOKED, SMP_BLOCK_LIFE(%rbx)
    je 1f
    lgdt boot_gdt_virt(%rip)
    movq SMP_BLOCK_ROOT(%rbx), %rax
    movq %rax, %cr3
    movq SMP_BLOCK_STACK(%rbx), %rsp
    movl $0xc0000101, %ecx              # GS_BASE
    movl SMP_BLOCK_AREA(%rbx), %eax
    movl SMP_BLOCK_AREA+4(%rbx), %edx
    wrmsr
    movq %rbx, %rdi
    xorl %ebp, %ebp                     # the end of the kernel's own backtraces
    call smp_secondary_entry
    ud2
1:  ljmpl *SMP_LEAVE(%rbp)
.cfi_endproc
