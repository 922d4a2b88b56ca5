# The bzImage's real-mode part: asks the BIOS for the memory map, opens A20 and enters protected mode at code32_start.
#
# Loaders that know the 32-bit or 64-bit protocol skip it. It is entered at 0x200 of the segment it lies at, and owns that
# segment up to 0x8000 (Linux boot protocol, "The real-mode kernel"): boot_params and stack lie behind the sectors.

# In: %cs = segment + 0x20, %ip = 0.
setup_start:
    cli
    cld
    movw %cs, %ax
    subw $0x20, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $(setup_stack_top - setup_base), %esp
    sti
    pushw %ax
    pushw $(1f - setup_base)
    lretw

# boot_params: zero, but for the setup header with what the loader wrote into it.
1:  movw $(setup_params - setup_base), %di
    movw $(4096 / 4), %cx
    xorl %eax, %eax
    rep stosl
    movw $0x1f1, %si
    movw $(setup_params + 0x1f1 - setup_base), %di
    movw $(0x26c - 0x1f1), %cx
    rep movsb

# int 15h, e820: the map, entry by entry, as it is (ACPI 6.5, 15.1). %ebx goes round; zero ends it.
    movw $(setup_params + 0x2d0 - setup_base), %di
    xorl %ebx, %ebx
1:  movl $0xe820, %eax
    movl $20, %ecx
    movl $0x534d4150, %edx              # "SMAP"
    int $0x15
    jc 2f
    cmpl $0x534d4150, %eax
    jne 3f                              # a BIOS that lost the signature gives no map worth having
    addw $20, %di
    incb setup_params + 0x1e8 - setup_base      # e820_entries
    cmpb $128, setup_params + 0x1e8 - setup_base
    je 2f
    testl %ebx, %ebx
    jnz 1b
    jmp 2f
3:  movb $0, setup_params + 0x1e8 - setup_base
2:
# e801: KiB from 1 MiB to 16 MiB, and 64 KiB blocks above it. Either in %ax, %bx or in %cx, %dx.
    xorw %cx, %cx
    xorw %dx, %dx
    movw $0xe801, %ax
    int $0x15
    jc 2f
    jcxz 1f
    movw %cx, %ax
    movw %dx, %bx
1:  movzwl %ax, %eax
    movzwl %bx, %ebx
    cmpw $(15 * 1024), %ax
    ja 2f                               # nonsense
    jne 1f                              # a hole below 16 MiB: what lies above it does not count
    shll $6, %ebx
    addl %ebx, %eax
1:  movl %eax, setup_params + 0x1e0 - setup_base        # alt_mem_k
2:
# 88: KiB above 1 MiB, 64 MiB at the most.
    movb $0x88, %ah
    int $0x15
    jc 1f
    movw %ax, setup_params + 0x002 - setup_base         # ext_mem_k
1:
    call setup_open_a20
    movw $(setup_a20_closed - setup_base), %si
    jc setup_fail

# The last the BIOS hears: interrupts, NMI and the PICs' inputs off.
    cli
    movb $0x80, %al
    outb %al, $0x70
    outb %al, $0x80                     # a moment
    movb $0xff, %al
    outb %al, $0xa1
    outb %al, $0x80
    movb $0xfb, %al
    outb %al, $0x21                     # all but the cascade

    xorl %ebx, %ebx
    movw %ds, %bx
    shll $4, %ebx
    leal setup_gdt - setup_base(%ebx), %eax
    movl %eax, setup_gdt_pointer + 2 - setup_base
    leal setup_protected - setup_base(%ebx), %eax
    movl %eax, setup_far + 2 - setup_base
    leal setup_params - setup_base(%ebx), %esi
    movl setup_code32 - setup_base, %edx        # a loader may have moved it
    lgdtl setup_gdt_pointer - setup_base
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
setup_far:
    .byte 0x66, 0xea                    # ljmpl $0x10, $linear address of setup_protected
    .long 0
    .word 0x10

.code32
# Linux boot protocol, 32-bit: %esi = boot_params, the rest zero, flat segments.
setup_protected:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    xorl %ebx, %ebx
    xorl %ebp, %ebp
    xorl %edi, %edi
    jmp *%edx

.code16
# Out: carry set if A20 stays closed. Asks before each attempt, because on most machines it is open already.
setup_open_a20:
    call setup_a20_is_open
    jnc 1f
    movw $0x2401, %ax                   # int 15h, 2401: enable A20
    int $0x15
    call setup_a20_is_open
    jnc 1f
    inb $0x92, %al                      # system control port A, bit 1; bit 0 would reset
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
    call setup_a20_is_open
    jnc 1f
    call setup_keyboard_ready           # keyboard controller: write output port, A20 on
    movb $0xd1, %al
    outb %al, $0x64
    call setup_keyboard_ready
    movb $0xdf, %al
    outb %al, $0x60
    call setup_keyboard_ready
    call setup_a20_is_open
1:  ret

# Waits until the keyboard controller takes a byte, or is not there.
setup_keyboard_ready:
    movw $0xffff, %cx
1:  outb %al, $0x80
    inb $0x64, %al
    testb $2, %al
    loopnz 1b
    ret

# Out: carry set if closed: 0000:0200, the vector of int 80h, and ffff:0210 are one word then. Written and read with
# patience, because a controller takes a while.
setup_a20_is_open:
    pushw %fs
    pushw %gs
    xorw %ax, %ax
    movw %ax, %fs
    decw %ax
    movw %ax, %gs
    movw $0x400, %cx
    movl %fs:0x200, %eax
    pushl %eax
1:  incl %eax
    movl %eax, %fs:0x200
    outb %al, $0x80
    cmpl %gs:0x210, %eax
    loope 1b
    popl %fs:0x200
    popw %gs
    popw %fs
    stc
    je 1f
    clc
1:  ret

# In: %si = text.
setup_fail:
    call setup_print
1:  hlt
    jmp 1b

setup_a20_closed:
    .asciz "standstill: the A20 gate does not open\r\n"
setup_version:
    boot_version
.balign 8
setup_gdt:
    .quad 0
    .quad 0
    .quad 0x00cf9b000000ffff            # 0x10: code
    .quad 0x00cf93000000ffff            # 0x18: data
setup_gdt_pointer:
    .word setup_gdt_pointer - setup_gdt - 1
    .long 0
.balign 512
setup_end:
# Not in the file: what lies behind it in the segment.
.set setup_params, setup_end
.set setup_stack_top, setup_params + 4096 + 1024
