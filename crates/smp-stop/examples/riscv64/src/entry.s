    .section .text.entry, "ax"
    .globl _start
_start:
    csrw mie, zero
    la t0, trap_entry
    csrw mtvec, t0
    csrr a0, mhartid
    li t0, 4
    bgeu a0, t0, park           # more CPUs than there are stacks
    la sp, stacks
    addi t0, a0, 1
    slli t0, t0, 14
    add sp, sp, t0
    li s0, 0                    # the outermost frame
    beqz a0, 2f
    # CPUs that are not first wait for a software interrupt without looking at memory: it may not be theirs yet.
    li t0, 8
    csrw mie, t0
1:  wfi
    csrr t0, mip
    andi t0, t0, 8
    beqz t0, 1b
    li t0, 0x2000000
    slli t1, a0, 2
    add t0, t0, t1
    sw zero, 0(t0)
    fence
    call secondary_main
2:  la t0, bss_start
    la t1, bss_end
3:  bgeu t0, t1, 4f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 3b
4:  call boot_main

# Saves x1 to x31 and the program counter where a `Frame` has them.
    .balign 4
trap_entry:
    addi sp, sp, -256
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, 8*\n(sp)
    .endr
    addi t0, sp, 256
    sd t0, 16(sp)
    csrr t0, mepc
    sd t0, 0(sp)
    mv a0, sp
    call trap
    ld t0, 0(sp)
    csrw mepc, t0
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, 8*\n(sp)
    .endr
    addi sp, sp, 256
    mret

# With nothing enabled no interrupt ends the wait; should one, back to it.
    .section .text.park, "ax"
    .globl park
park:
    csrw mie, zero
1:  wfi
    j 1b
