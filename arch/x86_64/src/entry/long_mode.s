# From 32-bit protected mode to 64-bit mode, on tables that map no more than the image's first 2 MiB to itself.

.section .boot.text, "ax", @progbits
.code32

# In: %ebp = image, aligned; bss is zero.
boot_enter:
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb 1f
    movl $0x80000001, %eax
    cpuid
    testl $(1 << 29), %edx              # LM
1:  leal (boot_no_long_mode - boot_base)(%ebp), %esi
    jb boot_report32
    jz boot_report32
    leal (boot_needs64 - boot_base)(%ebp), %esi
    boot_ask esi, boot_report32

# The three tables lie in the init stack, which nobody uses before they are gone.
    leal (init_stack - boot_base)(%ebp), %ebx
    leal 0x1003(%ebx), %eax             # present, writable
    movl %eax, (%ebx)
    movl %ebp, %ecx
    shrl $30, %ecx
    leal 0x2003(%ebx), %eax
    movl %eax, 0x1000(%ebx,%ecx,8)
    movl %ebp, %ecx
    shrl $21, %ecx
    andl $511, %ecx
    leal 0x83(%ebp), %eax               # present, writable, 2 MiB
    movl %eax, 0x2000(%ebx,%ecx,8)

    movl $(1 << 5), %eax                # CR4.PAE
    movl %eax, %cr4
    movl %ebx, %cr3
    movl $0xc0000080, %ecx              # EFER
    rdmsr
    orl $(1 << 8), %eax                 # LME
    wrmsr
    leal (boot_gdt - boot_base)(%ebp), %eax
    movl %eax, (boot_gdt_phys + 2 - boot_base)(%ebp)
    lgdt (boot_gdt_phys - boot_base)(%ebp)
    leal (boot_enter64 - boot_base)(%ebp), %eax
    pushl $0x10
    pushl %eax
    movl $0x80000011, %eax              # CR0.PG, ET, PE
    movl %eax, %cr0
    lretl

.section .rodata.boot, "a", @progbits
boot_no_long_mode:
    boot_words "this CPU has no 64-bit mode; use the i386 kernel"
# Asked before the time stamp is read.
.balign 4
boot_cpu_needs:
    .long 1 << 4
    boot_words "this CPU has no time-stamp counter (TSC)"
    .long 0
# What the compiler and the kernel take for granted besides. Every CPU with long mode ought to have it; one that says no is
# believed.
boot_needs64:
    .long 1 << 5
    boot_words "this CPU has no model-specific registers (MSR)"
    .long 1 << 6
    boot_words "this CPU has no page tables with entries of 64 bits (PAE)"
    .long 1 << 15
    boot_words "this CPU has no conditional moves (CMOV)"
    .long 0

.section .data.boot, "aw", @progbits
.balign 8
    .skip 6
boot_gdt_phys:
    .word boot_gdt_end - boot_gdt - 1
    .quad 0
