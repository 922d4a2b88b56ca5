# The way back to real mode, to the firmware's reset entry.
#
# `power::real_mode::install` puts a copy of this into a page below 1 MiB. A kernel comes to `real_leave` in 32-bit
# protected mode with paging on, on a root table that maps the page to itself, the copy's GDT loaded: selector 0x08 is its
# code. Nothing else is needed: no stack, no data of the kernel's.
#
# What comes before `real_leave` is `power::real_mode::Header`.

.section .rodata.real_mode, "a", @progbits
.balign 16
.globl real_mode_start
real_mode_start:
    .word 0, 0x3ff                      # the vectors of real mode, at 0
    .long 0
    .quad 0
    .quad 0x00cf9b000000ffff            # 0x08: 32-bit code, flat
    .quad 0x00009b000000ffff            # 0x10: 16-bit code, 64 KiB from the page on
    .quad 0x000093000000ffff            # 0x18: 16-bit data, the first 64 KiB

.code32
real_leave:
    movl %cr0, %eax
    andl $0x7fffffff, %eax              # paging off
    movl %eax, %cr0
    xorl %eax, %eax
    movl %eax, %cr3                     # with it goes what was cached of the tables
    movl $1, %eax                       # EFER, where there is one: out of 64-bit mode for good, no NX
    cpuid
    testl $(1 << 5), %edx               # MSR
    jz 1f
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb 1f
    movl $0x80000001, %eax
    cpuid
    testl $(1 << 20 | 1 << 29), %edx    # NX or LM
    jz 1f
    movl $0xc0000080, %ecx
    rdmsr
    andl $~(1 << 8 | 1 << 11), %eax     # LME, NXE
    wrmsr
1:  xorl %eax, %eax
    movl %eax, %cr4
    ljmp $0x10, $(real_16 - real_mode_start)

.code16
real_16:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    lidtl %cs:2                         # Header::vectors
    movw $0x1234, 0x472                 # a warm start, as BIOSes know it since the PC
    movl %cr0, %eax
    andl $~1, %eax                      # protected mode off
    movl %eax, %cr0
    ljmpw $0xf000, $0xfff0
.globl real_mode_end
real_mode_end:
