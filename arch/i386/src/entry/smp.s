# The secondary CPU's way from protected mode to Rust. The first part belongs to the trampoline.

# In: %ebp = blob, %esi = slot.
smp_enter:
    movl SMP_CR4(%ebp), %eax
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
smp_high:
    cmpl $SMP_REVOKED, SMP_BLOCK_LIFE(%ebx)
    je 1f
    movl SMP_BLOCK_ROOT(%ebx), %eax
    movl %eax, %cr3
    movl SMP_BLOCK_STACK(%ebx), %esp

# Each CPU's %fs has a base of its own, and so has its GDT, which until Rust installs a better one is on its stack.
    movl SMP_BLOCK_AREA(%ebx), %eax
    movl %eax, %ecx
    shll $16, %ecx                      # base 15..0; limit 15..0 all ones
    orl $0xffff, %ecx
    movl %eax, %edx
    andl $0xff000000, %edx              # base 31..24
    shrl $16, %eax
    movb %al, %dl                       # base 23..16
    orl $0x00cf9300, %edx               # 4 GiB, data, writable
    pushl %edx
    pushl %ecx                          # 0x20
    pushl boot_gdt + 0x1c
    pushl boot_gdt + 0x18
    pushl boot_gdt + 0x14
    pushl boot_gdt + 0x10
    pushl $0
    pushl $0                            # 0x08: not used
    pushl $0
    pushl $0
    movl %esp, %eax
    pushl %eax
    pushw $(5 * 8 - 1)
    lgdt (%esp)
    movl $0x20, %eax
    movl %eax, %fs
    movl %eax, %gs
    addl $6, %esp
    andl $-16, %esp                     # a multiple of 16 where the argument is
    subl $12, %esp
    pushl %ebx
    xorl %ebp, %ebp                     # the end of every backtrace
    call smp_secondary_entry
    ud2
1:  ljmpl *SMP_LEAVE(%ebp)
