# Out of five-level paging, which a loader may have on (a Linux that runs with it, through kexec) and this kernel does not
# use. CR4.LA57 cannot change in 64-bit mode, and outside it neither code nor root table can lie above 4 GiB, where the
# image may be. So the step is made in two pages of low memory, whose contents are put back afterwards.

.set BOOT_LOW, 0x8000

.section .boot.text, "ax", @progbits
.code64

# In: the boot tables are built; the loader's are on. Out: the boot tables are on, in four-level mode.
boot_leave_five_levels:
# First on our own tables, by a fifth level above them: the loader's need not map low memory.
    leaq trampoline_pgd+3(%rip), %rax
    movq %rax, boot_pml5(%rip)
    leaq boot_pml5(%rip), %rax
    movq %rax, %cr3

    movl $BOOT_LOW, %esi
    leaq init_stack(%rip), %rdi
    movl $(2 * 4096 / 8), %ecx
    rep movsq (%rsi), (%rdi)
    leaq boot_switch(%rip), %rsi
    movl $BOOT_LOW, %edi
    movl $(boot_switch_end - boot_switch), %ecx
    rep movsb (%rsi), (%rdi)
    leaq trampoline_pgd(%rip), %rsi
    movl $(BOOT_LOW + 4096), %edi
    movl $(4096 / 8), %ecx
    rep movsq (%rsi), (%rdi)
    movl $BOOT_LOW, %esi
    leaq 1f(%rip), %rax
    movq %rax, (boot_switch_return - boot_switch)(%rsi)
    lgdt (boot_switch_gdt_pointer - boot_switch)(%rsi)
    ljmpl *(boot_switch_far - boot_switch)(%rsi)

1:  leaq trampoline_pgd(%rip), %rax
    movq %rax, %cr3
    leaq init_stack(%rip), %rsi
    movl $BOOT_LOW, %edi
    movl $(2 * 4096 / 8), %ecx
    rep movsq (%rsi), (%rdi)
    jmp boot_four_levels

# What runs in low memory.
.section .rodata.boot, "a", @progbits
.balign 8
.code32
boot_switch:
    movl %cr0, %eax
    movl %eax, %edx
    andl $0x7fffffff, %eax              # paging off; EFER.LME stays
    movl %eax, %cr0
    movl $(1 << 5), %eax                # CR4: PAE, and no LA57
    movl %eax, %cr4
    movl $(BOOT_LOW + 4096), %eax
    movl %eax, %cr3
    movl %edx, %cr0
    ljmpl $0x10, $(BOOT_LOW + 1f - boot_switch)
.code64
1:  jmpq *boot_switch_return(%rip)
.balign 8
boot_switch_return:
    .quad 0
boot_switch_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            # 0x08: 32-bit code
    .quad 0x00af9b000000ffff            # 0x10: 64-bit code
    .quad 0x00cf93000000ffff            # 0x18: data
boot_switch_far:
    .long BOOT_LOW
    .word 0x08
boot_switch_gdt_pointer:
    .word boot_switch_far - boot_switch_gdt - 1
    .quad BOOT_LOW + boot_switch_gdt - boot_switch
boot_switch_end:
