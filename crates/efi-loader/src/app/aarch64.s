// Out of firmware's world into the one that the arm64 boot protocol describes (Linux, Documentation/arch/arm64/booting.rst,
// "Call the kernel image"): MMU and caches off, and in memory what the caches held.

.text
.globl standstill_enter

// In: x0 = device tree, x1 = entry, x2..x3 = what is to be cleaned. Firmware maps all memory to itself, so the next
// instruction is where it was once the MMU is off.
.balign 64
standstill_enter:
    msr     daifset, #15
    mrs     x4, ctr_el0
    ubfx    x4, x4, #16, #4         // DminLine: log2 of words
    mov     x5, #4
    lsl     x4, x5, x4
    sub     x5, x4, #1
    bic     x2, x2, x5
1:  dc      civac, x2
    add     x2, x2, x4
    cmp     x2, x3
    b.lo    1b
    adr     x2, standstill_enter    // these instructions too: they are about to be fetched past the caches
    bic     x2, x2, x5
    adr     x3, 5f
2:  dc      civac, x2
    add     x2, x2, x4
    cmp     x2, x3
    b.lo    2b
    dsb     sy
    ic      iallu
    dsb     sy
    isb
    mrs     x4, CurrentEL
    cmp     x4, #(2 << 2)
    b.eq    3f
    mrs     x4, sctlr_el1
    bic     x4, x4, #(1 << 0)       // M
    bic     x4, x4, #(1 << 2)       // C
    bic     x4, x4, #(1 << 12)      // I
    msr     sctlr_el1, x4
    b       4f
3:  mrs     x4, sctlr_el2
    bic     x4, x4, #(1 << 0)
    bic     x4, x4, #(1 << 2)
    bic     x4, x4, #(1 << 12)
    msr     sctlr_el2, x4
4:  isb
    mov     x16, x1
    mov     x1, xzr
    mov     x2, xzr
    mov     x3, xzr
    br      x16
5:
