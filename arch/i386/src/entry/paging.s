# From 32-bit protected mode to paging on `initial_page_table`, and to Rust.

.section .boot.text, "ax", @progbits
.code32
.cfi_sections .debug_frame           # for debuggers; the image carries no unwind tables

# In: %ebp = image, aligned; bss is zero.
boot_enter:
# The whole image window must be in the physmap, which is also what the boot root maps to itself.
    leal (boot_too_high - boot_base)(%ebp), %esi
    cmpl $(BOOT_PHYSMAP_BYTES - 0x1000000), %ebp
    ja boot_report32

# The physmap, once in its window and once as it is, by pages of 4 MiB.
    leal (initial_page_table - boot_base)(%ebp), %ebx
    movl $0x83, %eax                    # present, writable, 4 MiB
    xorl %ecx, %ecx
1:  movl %eax, (%ebx,%ecx,4)
    movl %eax, 4 * BOOT_PHYSMAP_SLOT(%ebx,%ecx,4)
    addl $0x400000, %eax
    incl %ecx
    cmpl $(BOOT_PHYSMAP_BYTES >> 22), %ecx
    jne 1b
# Up to the kernel's addresses, what is above the physmap as it is: firmware may have code and data there.
1:  movl %eax, (%ebx,%ecx,4)
    addl $0x400000, %eax
    incl %ecx
    cmpl $BOOT_PHYSMAP_SLOT, %ecx
    jne 1b

# The image window. Its first 4 MiB go by pages of 4 KiB, because the stack's guard is in there and is left out.
    leal 0x400083(%ebp), %eax
    movl $1, %ecx
1:  movl %eax, 4 * BOOT_IMAGE_SLOT(%ebx,%ecx,4)
    addl $0x400000, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 1b
    leal (boot_image_pt - boot_base)(%ebp), %edi
    leal 3(%edi), %eax
    movl %eax, 4 * BOOT_IMAGE_SLOT(%ebx)
    leal 3(%ebp), %eax
    movl $1024, %ecx
1:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $4, %edi
    decl %ecx
    jnz 1b
    movl $(init_stack_guard - boot_base), %ecx
    shrl $12, %ecx
    movl $0, (boot_image_pt - boot_base)(%ebp,%ecx,4)

    movl $1, %eax
    cpuid
    movl $(1 << 4), %eax                # CR4.PSE
    testl $(1 << 13), %edx
    jz 1f
    orl $(1 << 7), %eax                 # PGE
1:  movl %eax, %cr4
    leal (initial_page_table - boot_base)(%ebp), %eax
    movl %eax, %cr3
    movl $0x80010035, %eax              # CR0: PG, WP, NE, ET, EM (no floating point in here: a stray one traps), PE
    movl %eax, %cr0
    movl $1f, %eax
    jmp *%eax

# From here on at the linked address. The per-CPU segment's base is the one thing of the GDT no linker can fill in.
1:  movl boot_area, %eax
    movw %ax, boot_gdt + 0x20 + 2
    shrl $16, %eax
    movb %al, boot_gdt + 0x20 + 4
    movb %ah, boot_gdt + 0x20 + 7
    lgdt boot_gdt_virt
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $init_stack_top, %esp
    ljmp $0x10, $1f
.cfi_startproc
.cfi_undefined %eip                     # a debugger's backtrace ends here
1:  movl $0x20, %eax
    movl %eax, %fs
    movl %eax, %gs
    movl %ebp, %edx
    xorl %ebp, %ebp                     # the end of the kernel's own backtraces
    subl $4, %esp                       # the three arguments end at a multiple of 16
    pushl %edx
    pushl boot_pointer
    pushl boot_kind
    call rust_entry
    ud2
.cfi_endproc

.section .rodata.boot, "a", @progbits
.balign 4
boot_cpu_needs:
    .long 1 << 3
    boot_words "this CPU has no 4 MiB pages (PSE)"
    .long 1 << 4
    boot_words "this CPU has no time-stamp counter (TSC)"
    .long 1 << 8
    boot_words "this CPU has no CMPXCHG8B"
    .long 0
boot_too_high:
    boot_words "loaded above the 768 MiB this kernel can use"

.section .data.boot, "aw", @progbits
.balign 8
.globl boot_gdt
boot_gdt:
    .quad 0
    .quad 0
    .quad 0x00cf9b000000ffff            # 0x10: code
    .quad 0x00cf93000000ffff            # 0x18: data
    .quad BOOT_AREA_DESCRIPTOR          # 0x20: this CPU's area, in %fs and %gs
boot_gdt_end:
    .skip 2
boot_gdt_virt:
    .word boot_gdt_end - boot_gdt - 1
    .long boot_gdt
