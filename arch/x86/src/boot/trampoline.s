# Where a secondary CPU starts: real mode, at the page its start-up interrupt named, with nothing but its APIC id to go by.
#
# A copy of this, made by `boot::smp::install`, lies below 1 MiB; it runs at any page there. All CPUs may be in it at the
# same time: each writes nothing but a note in its own slot, and a parked one its NMI frame; no CPU has a stack before it has
# found its own block. A CPU notes in its slot that it came, that it found no block, or what it lacks.
#
# The header is `boot::smp::Header`; SMP_* are its fields' offsets. Addresses in it are counted from the start of the blob; the
# copy has its own address added to them.
#
# From outside: smp_enter of the kernel, which must be part of the blob, and SMP_*.

.section .rodata.smp, "a", @progbits
.balign 16
.code16
.globl smp_trampoline_start
smp_trampoline_start:
    jmp smp_real
.org smp_trampoline_start + SMP_GDT
    .word 0, smp_gdt_end - smp_gdt - 1
    .long smp_gdt - smp_trampoline_start
.org smp_trampoline_start + SMP_IDT
    .word 0, 3 * 8 - 1
    .long SMP_GATES
.org smp_trampoline_start + SMP_PROTECTED
    .long smp_protected - smp_trampoline_start
    .word 0x08, 0
.org smp_trampoline_start + SMP_PAGED
    .long smp_paged - smp_trampoline_start
    .word 0x10, 0
.org smp_trampoline_start + SMP_LEAVE
    .long smp_leave - smp_trampoline_start
    .word 0x08, 0
.org smp_trampoline_start + SMP_GATES   # divide error, debug: never; NMI
    .quad 0, 0
    .word smp_park - smp_trampoline_start, 0x08, 0x8e00, 0
.org smp_trampoline_start + SMP_HEADER_BYTES

smp_real:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movzwl %ax, %ebp
    shll $4, %ebp                       # %ebp: the blob, from here on
    lidtl SMP_IDT + 2
    lgdtl SMP_GDT + 2
    movl $0x00000011, %eax              # CR0: ET, PE; the caches, off after INIT, on
    movl %eax, %cr0
    ljmpl *SMP_PROTECTED

.code32
smp_protected:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leal (smp_nmi_frame_end - smp_trampoline_start)(%ebp), %esp

# An APIC that shares others' signals until it is in the mode of the machine gets there first.
    movl SMP_APIC(%ebp), %edi
    testl %edi, %edi
    jz 1f
    movl $0x1b, %ecx                    # IA32_APIC_BASE
    rdmsr
    orl %edi, %eax
    wrmsr
1:  xorl %eax, %eax

# Who am I? The x2APIC id of the topology leaves where there are any (SDM Vol. 3A, 9.9.1), else the initial APIC id.
    cpuid                               # %eax is 0: highest leaf
    movl %eax, %edi
    movl $0x1f, %esi
1:  cmpl %esi, %edi
    jb 2f
    movl %esi, %eax
    xorl %ecx, %ecx
    cpuid
    testl %ebx, %ebx                    # a leaf that is there, but empty, has no logical CPUs
    jnz 3f
2:  subl $(0x1f - 0x0b), %esi
    cmpl $0x0b, %esi
    je 1b
    movl $1, %eax
    cpuid
    shrl $24, %ebx
    movl %ebx, %edx
3:
# And which slot is mine? A slot: APIC id, my note, address of the block, 64 bits.
    movl SMP_SLOTS(%ebp), %ecx
    movl SMP_TABLE(%ebp), %esi
1:  decl %ecx
    js smp_park
    cmpl %edx, (%esi)
    je 2f
    addl $16, %esi
    jmp 1b
2:  movl $1, 4(%esi)                    # it came, and its APIC is in the machine's mode
    movl 8(%esi), %eax
    orl 12(%esi), %eax
    jnz smp_ask
    movl $2, 4(%esi)                    # listed, and not to be started: it came unasked, and waits here
    jmp smp_park

# Has this CPU what the boot CPU turned on? A bit of CR4 or EFER for a feature it lacks is an exception, with no handler yet.
smp_ask:
    movl $1, %eax
    cpuid
    movzwl %dx, %edi
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb 1f
    movl $0x80000001, %eax
    cpuid
    andl $0xffff0000, %edx
    orl %edx, %edi
1:  notl %edi
    andl SMP_NEEDS(%ebp), %edi
    jz smp_enter
    movl %edi, 4(%esi)                  # for the CPU that waits

# No CPU waits for this one, or it will not do. No paging, interrupts off, nothing but this page; an NMI ends up here again, and
# because it never returns, the next one is held.
smp_park:
    leal (smp_nmi_frame_end - smp_trampoline_start)(%ebp), %esp
1:  cli
    hlt
    jmp 1b

.balign 8
smp_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            # 0x08: 32-bit code
    .quad SMP_CODE_DESCRIPTOR           # 0x10: the kernel's code
    .quad 0x00cf93000000ffff            # 0x18: data
smp_gdt_end:
# Where a parked CPU's NMI frame goes. Parked CPUs share it: nobody reads it.
    .skip 16
smp_nmi_frame_end:
