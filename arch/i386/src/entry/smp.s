# The secondary CPU's way from protected mode to Rust. The first part belongs to the trampoline.

# In: %ebp = blob, %esi = slot.
smp_enter:
    movl SMP_EFER(%ebp), %eax
    testl %eax, %eax                    # none to set: maybe no such register
    jz 1f
    movl %eax, %ebx
    movl $0xc0000080, %ecx              # EFER
    rdmsr
    orl %ebx, %eax
    wrmsr
1:  movl SMP_CR4(%ebp), %eax            # with PAE, if the boot CPU has it on
    movl %eax, %cr4
    movl SMP_ROOT(%ebp), %eax
    movl %eax, %cr3
    movl 8(%esi), %ebx                  # %ebx: the block, from here on
    movl $0x80010035, %eax              # CR0, as on the boot CPU
    movl %eax, %cr0
    ljmpl *SMP_PAGED(%ebp)
smp_paged:
    movl $smp_high, %eax
    jmp *%eax

# Come too late: back to where there is no paging, and no table the kernel may take away.
smp_leave:
    movl %cr0, %eax
    andl $0x7fffffff, %eax
    movl %eax, %cr0
    xorl %eax, %eax
    movl %eax, %cr4
    jmp smp_park

.globl smp_trampoline_end
smp_trampoline_end:

.section .text.smp_high, "ax", @progbits
.cfi_sections .debug_frame           # for debuggers; the image carries no unwind tables
.cfi_startproc
.cfi_undefined %eip                     # a debugger's backtrace ends here
smp_high:
    cmpl $SMP_REVOKED, SMP_BLOCK_LIFE(%ebx)
    je 1f
# Still on the boot root, as Linux's secondary CPUs are: stack and area, which the GDT is in, are there only if that root was
# brought in step with the kernel's after both had been mapped. `InStep` is the proof.
    movl SMP_BLOCK_STACK(%ebx), %esp
    movl SMP_BLOCK_AREA(%ebx), %eax
    addl $SMP_AREA_GDT, %eax
    pushl %eax
    pushw $(SMP_AREA_GDT_BYTES - 1)
    lgdt (%esp)
    movl $0x20, %eax                    # the first access to the new GDT
    movl %eax, %fs
    movl %eax, %gs
    movl SMP_BLOCK_ROOT(%ebx), %eax
    movl %eax, %cr3
    addl $6, %esp
    andl $-16, %esp                     # a multiple of 16 where the argument is
    subl $12, %esp
    pushl %ebx
    xorl %ebp, %ebp                     # the end of the kernel's own backtraces
    call smp_secondary_entry
    ud2
1:  ljmpl *SMP_LEAVE(%ebp)
.cfi_endproc
