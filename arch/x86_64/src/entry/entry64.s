# 64-bit mode: the Linux 64-bit entry, and from there, as from the 32-bit road, the boot page tables and Rust.
#
# Until the tables are on, the code runs at its physical address, and `sym(%rip)` is the physical address of `sym`.

.section .boot.text, "ax", @progbits
.code64
.cfi_sections .debug_frame           # for debuggers; the image carries no unwind tables

# Linux boot protocol, 64-bit: %rsi = boot_params; paging on; image (init_size bytes), boot_params and command line
# are mapped to themselves. Nothing more is promised.
.org boot_base + 0x200
.globl linux64_entry
linux64_entry:
    cli
    cld
    movq %rsi, %r9
    leaq boot_base(%rip), %rbp
    leaq boot_scratch_stack_top(%rip), %rsp
    leaq boot_cpu_needs(%rip), %rsi
    boot_ask rsi, boot_report64
    leaq boot_needs64(%rip), %rsi
    boot_ask rsi, boot_report64
    rdtsc
    movl %eax, boot_tsc(%rip)
    movl %edx, boot_tsc+4(%rip)
    testl $(BOOT_ALIGN - 1), %ebp
    movq %r9, %rbx
    leaq boot_unaligned(%rip), %rsi
    jnz boot_report64

    leaq __bss_start(%rip), %rdi
    leaq __bss_stop(%rip), %rcx
    subq %rdi, %rcx
    shrq $3, %rcx
    xorl %eax, %eax
    rep stosq %rax, (%rdi)

# boot_params and command line may lie above what the boot tables map, so the kernel takes copies, in its first 2 MiB.
    movq %rbx, %rsi
    leaq boot_params_copy(%rip), %rdi
    movl $(4096 / 8), %ecx
    rep movsq (%rsi), (%rdi)
    leaq boot_params_copy(%rip), %rbx
    movl 0x0c8(%rbx), %esi              # ext_cmd_line_ptr
    shlq $32, %rsi
    movl 0x228(%rbx), %eax              # cmd_line_ptr
    orq %rax, %rsi
    jz 2f
    leaq boot_command_line(%rip), %rdi
    movl $(BOOT_COMMAND_LINE_BYTES - 1), %ecx
    movl %edi, 0x228(%rbx)
    movq %rdi, %rax
    shrq $32, %rax
    movl %eax, 0x0c8(%rbx)
1:  lodsb (%rsi), %al
    stosb %al, (%rdi)
    testb %al, %al
    loopne 1b                           # bss behind the last byte is the terminator
2:  movl $BOOT_KIND_LINUX, boot_kind(%rip)
    movq %rbx, boot_pointer(%rip)

# In: image aligned, bss zero but for the 32-bit road's tables in the init stack; kind and pointer noted.
boot_enter64:
    leaq boot_base(%rip), %rbp
    xorl %r8d, %r8d                     # %r8: the no-execute bit, where there is one
    movl $0x80000001, %eax
    cpuid
    btl $20, %edx
    jnc 1f
    movl $0xc0000080, %ecx              # EFER.NXE
    rdmsr
    btsl $11, %eax
    wrmsr
    btsq $63, %r8
1:
# The low 4 GiB, once as they are and once, not executable, in the physmap window: the two share all but the root.
    leaq boot_low_pd(%rip), %rdi
    movl $0x83, %eax                    # present, writable, 2 MiB
    movl $2048, %ecx
1:  movq %rax, (%rdi)
    addq $0x200000, %rax
    addq $8, %rdi
    decl %ecx
    jnz 1b
    leaq trampoline_pgd(%rip), %rbx
    leaq boot_low_pdpt(%rip), %rdx
    leaq boot_low_pd+3(%rip), %rax      # present, writable
    xorl %ecx, %ecx
1:  movq %rax, (%rdx,%rcx,8)
    addq $4096, %rax
    incl %ecx
    cmpl $4, %ecx
    jne 1b
    leaq 3(%rdx), %rax
    movq %rax, (%rbx)
    orq %r8, %rax
    movq %rax, 8*BOOT_PHYSMAP_SLOT(%rbx)

# An image above that is added to both, its first 2 MiB, so that this code and the copies above are in them.
    movq %rbp, %rcx
    shrq $32, %rcx
    jz 1f
    movq %rbp, %rcx
    shrq $39, %rcx
    jz 2f
    leaq boot_high_pdpt(%rip), %rdx
    leaq 3(%rdx), %rax
    movq %rax, (%rbx,%rcx,8)
    orq %r8, %rax
    movq %rax, 8*BOOT_PHYSMAP_SLOT(%rbx,%rcx,8)
2:  movq %rbp, %rcx
    shrq $30, %rcx
    andl $511, %ecx
    leaq boot_high_pd(%rip), %rdi
    leaq 3(%rdi), %rax
    movq %rax, (%rdx,%rcx,8)
    movq %rbp, %rcx
    shrq $21, %rcx
    andl $511, %ecx
    leaq 0x83(%rbp), %rax
    movq %rax, (%rdi,%rcx,8)
1:
# The image window. Its first 2 MiB go by pages of 4 KiB, because the stack's guard is in there and is left out.
    leaq boot_image_pdpt+3(%rip), %rax
    movq %rax, 8*511(%rbx)
    leaq boot_image_pd+3(%rip), %rax
    movq %rax, boot_image_pdpt+8*510(%rip)
    leaq boot_image_pd(%rip), %rdi
    leaq 0x83(%rbp), %rax
    movl $8, %ecx                       # 16 MiB, the whole window
1:  movq %rax, (%rdi)
    addq $0x200000, %rax
    addq $8, %rdi
    decl %ecx
    jnz 1b
    leaq boot_image_pt+3(%rip), %rax
    movq %rax, boot_image_pd(%rip)
    leaq boot_image_pt(%rip), %rdi
    leaq 3(%rbp), %rax
    movl $512, %ecx
1:  movq %rax, (%rdi)
    addq $4096, %rax
    addq $8, %rdi
    decl %ecx
    jnz 1b
    leaq init_stack_guard(%rip), %rcx
    subq %rbp, %rcx
    shrq $12, %rcx
    leaq boot_image_pt(%rip), %rdi
    movq $0, (%rdi,%rcx,8)

    movq %cr4, %rax
    testl $(1 << 12), %eax              # LA57
    jnz boot_leave_five_levels
    movq %rbx, %cr3
boot_four_levels:
# CR4: PAE alone, which also drops what the loader had marked global; then PGE, where there is one.
    movl $(1 << 5), %eax
    movq %rax, %cr4
    movl $1, %eax
    cpuid
    testl $(1 << 13), %edx
    jz 1f
    movl $(1 << 5 | 1 << 7), %eax
    movq %rax, %cr4
1:
    movl $0x80010035, %eax              # CR0: PG, WP, NE, ET, EM (no floating point in here: a stray one traps), PE
    movq %rax, %cr0
    leaq boot_base(%rip), %r12
    movq $1f, %rax
    jmp *%rax

# From here on at the linked address.
1:  lgdt boot_gdt_virt(%rip)
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $init_stack_top, %rsp
    pushq $0x10
    leaq 1f(%rip), %rax
    pushq %rax
    lretq
.cfi_startproc
.cfi_undefined %rip                     # a debugger's backtrace ends here
1:  movl $0xc0000101, %ecx              # GS_BASE
    movl boot_area(%rip), %eax
    movl boot_area+4(%rip), %edx
    wrmsr
    xorl %ebp, %ebp                     # the end of the kernel's own backtraces
    movl boot_kind(%rip), %edi
    movq boot_pointer(%rip), %rsi
    movq %r12, %rdx
    call rust_entry
    ud2
.cfi_endproc

# In: %rsi = address of the text.
boot_report64:
    boot_report rsi, rdi

.section .rodata.boot, "a", @progbits
boot_unaligned:
    boot_words "loaded for the 64-bit entry at an address that is not 2 MiB aligned"
.balign 8
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            # 0x08: 32-bit code
    .quad 0x00af9b000000ffff            # 0x10: 64-bit code
    .quad 0x00cf93000000ffff            # 0x18: data
boot_gdt_end:
    .skip 6
.globl boot_gdt_virt
boot_gdt_virt:
    .word boot_gdt_end - boot_gdt - 1
    .quad boot_gdt
