// Turning the MMU on, for the boot CPU and for every secondary.

.section .idmap.text, "ax"

// enable_mmu: x0 = physical address of the table for the kernel's half (TTBR1). The identity map goes to TTBR0.
// Returns with MMU and caches on, still at the physical address. Clobbers x1..x3.
.global enable_mmu
enable_mmu:
    mrs     x3, id_aa64mmfr0_el1
    ubfx    x1, x3, #28, #4         // TGran4: 0xf means no 4 KiB granule, and there is no way to say so yet
    cmp     x1, #0xf
    b.eq    no_granule
    ubfx    x3, x3, #0, #4          // PARange
    mov     x2, #5                  // more than 48 bits needs another table format
    cmp     x3, #5
    csel    x3, x2, x3, hi
    mov_q   x2, {TCR}
    bfi     x2, x3, #32, #3         // IPS
    msr     tcr_el1, x2
    mov_q   x1, {MAIR}
    msr     mair_el1, x1
    adrp    x1, idmap_root
    msr     ttbr0_el1, x1
    msr     ttbr1_el1, x0
    msr     cpacr_el1, xzr          // FP and SIMD trap: the kernel has none
    msr     mdscr_el1, xzr
    msr     cntkctl_el1, xzr
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    mov_q   x1, {SCTLR_MMU_ON}
    msr     sctlr_el1, x1
    isb
    ic      iallu                   // what was fetched uncached may be stale
    dsb     nsh
    isb
    ret

no_granule:
    wfi
    b       no_granule
