# The 32-bit way in, shared by both kernels: Linux boot protocol (byte 0 of the payload) and PVH.
#
# Protected mode, paging off, flat segments, interrupts off; nothing else is promised, a stack least of all. The code runs
# wherever it was put: %ebp holds the address of `boot_base`, byte 0 of the image, and everything is named relative to it.
# What ends it is `boot_enter` of the kernel: image at an aligned address, bss zero, kind, pointer and time stamp noted.
#
# From outside: BOOT_ALIGN, BOOT_LOAD_ADDRESS, BOOT_KIND_*; boot_cpu_needs, boot_enter; from the linker script:
# _image_file_bytes, _image_bytes.

.section .boot.text, "ax", @progbits
.code32

# Linux boot protocol, 32-bit: %esi = boot_params; %ebp, %edi, %ebx are zero.
.globl boot_base
boot_base:
    cli
    cld
    # Finding out where one runs takes a stack of one word: `scratch` (offset 0x1e4) is in boot_params for that.
    leal 0x1e8(%esi), %esp
    call 1f
1:  popl %ebp
    subl $(1b - boot_base), %ebp
    movl $BOOT_KIND_LINUX, %edi
    jmp boot_common32

# PVH: %ebx = hvm_start_info. %eax means nothing: a multiboot loader's magic was seen in it.
.globl pvh_entry
pvh_entry:
    cli
    cld
    # The word of stack is the structure's magic, which is put back.
    movl (%ebx), %edx
    leal 4(%ebx), %esp
    call 1f
1:  popl %ebp
    movl %edx, (%ebx)
    subl $(1b - boot_base), %ebp
    movl $BOOT_KIND_PVH, %edi
    movl %ebx, %esi

# In: %ebp = image, %edi = kind, %esi = pointer.
boot_common32:
    leal (boot_scratch_stack_top - boot_base)(%ebp), %esp
    movl %edi, (boot_kind - boot_base)(%ebp)
    movl %esi, (boot_pointer - boot_base)(%ebp)
    movl $0, (boot_pointer + 4 - boot_base)(%ebp)

# A CPU older than CPUID cannot toggle EFLAGS.ID (SDM Vol. 1, 20.1.2); it lacks all that is asked for below, too.
    pushfl
    popl %eax
    movl %eax, %ecx
    xorl $(1 << 21), %eax
    pushl %eax
    popfl
    pushfl
    popl %eax
    pushl %ecx
    popfl
    xorl %ecx, %eax
    testl $(1 << 21), %eax
    leal (boot_no_cpuid - boot_base)(%ebp), %esi
    jz boot_report32
    leal (boot_cpu_needs - boot_base)(%ebp), %esi
    boot_ask esi, boot_report32

    rdtsc
    movl %eax, (boot_tsc - boot_base)(%ebp)
    movl %edx, (boot_tsc + 4 - boot_base)(%ebp)

# Where the boot protocol says the kernel will run (Linux boot protocol, `init_size`): at the next aligned address, and
# not below the preferred one. A loader that does not relocate puts the payload at 1 MiB, which is not aligned.
    testl $(BOOT_ALIGN - 1), %ebp
    jz boot_in_place
    leal (BOOT_ALIGN - 1)(%ebp), %ebx
    andl $(-BOOT_ALIGN), %ebx
    cmpl $BOOT_LOAD_ADDRESS, %ebx
    jae 1f
    movl $BOOT_LOAD_ADDRESS, %ebx
# There must be memory up to the image's end: try its last word before overwriting this place.
1:  movl $_image_bytes, %ecx
    movl $0x57ac6e9d, -4(%ebx,%ecx)
    cmpl $0x57ac6e9d, -4(%ebx,%ecx)
    leal (boot_no_memory - boot_base)(%ebp), %esi
    jne boot_report32
# The new place is higher, so copying from the end down is right even where the two overlap; and this loop, at the very
# start of the old place, is at least a page away from being overwritten.
    movl $_image_file_bytes, %ecx
    leal -4(%ebp,%ecx), %esi
    leal -4(%ebx,%ecx), %edi
    shrl $2, %ecx
    std
    rep movsl (%esi), (%edi)
    cld
    movl %ebx, %ebp
    leal (boot_in_place - boot_base)(%ebp), %eax
    jmp *%eax

boot_in_place:
    leal (boot_scratch_stack_top - boot_base)(%ebp), %esp
    leal (__bss_start - boot_base)(%ebp), %edi
    leal (__bss_stop - boot_base)(%ebp), %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl %eax, (%edi)
    jmp boot_enter

# In: %esi = address of the text.
boot_report32:
    boot_report esi, edi

# Kept across the move, so neither bss nor a register.
.section .data.boot, "aw", @progbits
.balign 8
.globl boot_tsc
boot_tsc:
    .quad 0
.globl boot_pointer
boot_pointer:
    .quad 0
.globl boot_kind
boot_kind:
    .long 0
.balign 16
    .skip 64
boot_scratch_stack_top:

.section .rodata.boot, "a", @progbits
# Linux boot protocol 2.15, kernel_info: magic, size, size with variable part, highest setup_data type understood.
.balign 4
.globl kernel_info
kernel_info:
    .ascii "LToP"
    .long 16, 16, 0
boot_no_cpuid:
    boot_words "this CPU is too old: it has no CPUID instruction"
boot_no_memory:
    boot_words "no memory where the kernel has to run"

.section .note.xen, "a", @note
.balign 4
    .long 4, 4, 18                      # name size, description size, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_entry_phys
