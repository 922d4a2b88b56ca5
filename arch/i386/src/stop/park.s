# Where a CPU stands still for good. What it still needs lies in this page, alone: code, GDT, IDT; and whatever maps the page.
# It stores nowhere, but for one thing that cannot be masked: an NMI, or a machine check, makes the CPU push a frame. That goes
# to park_frame, a page of its own that all parked CPUs share, because nobody reads it; and as nothing here returns from an
# interrupt, an NMI keeps all later ones waiting. No task gates here: a switch would write the old task's state.

.section .text.park, "ax", @progbits
.code32

.balign 4096
.globl park_page
park_page:
.globl park
park:
    cli
# First the IDT: an NMI in between comes to park_again, on a stack that is still good and by the code segment of either GDT.
    lidt park_idt_pointer
.globl park_again
park_again:
    movl $park_frame + 64, %esp
    lgdt park_gdt_pointer
1:  cli
    hlt
    jmp 1b

.balign 8
# The kernel's segments: null, unused, code, data. All marked accessed: the CPU writes nothing back.
park_gdt:
    .quad 0
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
park_gdt_end:
# Vectors 0 to 18: NMI and machine check are the only ones that can come, but none must find a hole.
park_idt:
    .rept 19
    .word park_gate_low, 0x10, 0x8e00, park_gate_high
    .endr
park_idt_end:
    .balign 8
    .skip 2
park_gdt_pointer:
    .word park_gdt_end - park_gdt - 1
    .long park_gdt
    .balign 8
    .skip 2
park_idt_pointer:
    .word park_idt_end - park_idt - 1
    .long park_idt

.section .bss.park, "aw", @nobits
.balign 4096
.globl park_frame
park_frame:
    .skip 4096
