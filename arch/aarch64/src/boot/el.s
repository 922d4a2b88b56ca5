// Dropping to EL1. The boot protocol allows EL2 and non-secure EL1; the rest of the kernel knows EL1 alone.
// All of this runs with the MMU off (or on the identity map) and without a stack.

.section .idmap.text, "ax"

// Loads the register \reg with the 64-bit constant \value.
.macro mov_q reg, value
    movz    \reg, #((\value) & 0xffff)
    movk    \reg, #(((\value) >> 16) & 0xffff), lsl #16
    movk    \reg, #(((\value) >> 32) & 0xffff), lsl #32
    movk    \reg, #(((\value) >> 48) & 0xffff), lsl #48
.endm

// Leaves zero in an EL2 register of traps, and adds what was there to x3.
.macro no_traps register
    mrs     x1, \register
    orr     x3, x3, x1
    msr     \register, xzr
.endm

// init_el: puts this CPU into EL1h with MMU and caches off, exceptions masked, and returns there.
// Returns the exception level of entry (1 or 2) in x0, and in x1 whether the registers of traps were found to be zero (1)
// or not, or not looked at (0). Clobbers x2, x3. Calls nothing.
.global init_el
init_el:
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.eq    1f
    mov_q   x1, {SCTLR_MMU_OFF}
    msr     sctlr_el1, x1
    isb
    msr     daifset, #0xf
    mov     x0, #1
    mov     x1, xzr
    ret

1:  mov_q   x1, {SCTLR_EL2_OFF}
    msr     sctlr_el2, x1
    mov_q   x1, {HCR_EL1_IS_AARCH64}
    msr     hcr_el2, x1             // also leaves the VHE register layout (E2H = 0), where it can be left
    isb
    mov_q   x1, {SCTLR_MMU_OFF}
    msr     sctlr_el1, x1

    // EL1 reads the counters and programs the timers itself, and sees no offset.
    mrs     x1, cnthctl_el2
    orr     x1, x1, #3
    msr     cnthctl_el2, x1
    msr     cntvoff_el2, xzr

    // Nothing EL1 does traps: no FP, trace or CP15 traps, no stage 2, EL1 sees the real identification.
    mov     x1, #0x33ff
    msr     cptr_el2, x1
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    mrs     x1, midr_el1
    msr     vpidr_el2, x1
    mrs     x1, mpidr_el1
    msr     vmpidr_el2, x1

    // All event counters belong to EL1, if there is a PMU (PMUVer neither 0 nor 0xf).
    mrs     x1, id_aa64dfr0_el1
    ubfx    x1, x1, #8, #4
    cmp     x1, #0xf
    csel    x1, xzr, x1, eq
    cbz     x1, 2f
    mrs     x1, pmcr_el0
    ubfx    x1, x1, #11, #5
2:  msr     mdcr_el2, x1

    // Traps that came later are unknown at reset. They are EL3's to give (SCR_EL3.FGTEn, HXEn): where firmware did so for
    // the boot CPU and forgot it for those that it starts itself, as QEMU 7.2 does, touching them is a CPU's end. Firmware
    // that clears them for kernels that do not know them does so on each CPU: what the boot CPU found to be zero the others
    // leave alone. Encodings by number, as assemblers of the baseline do not know the names.
    mov     x3, xzr
    adrp    x1, traps_are_zero      // past the caches: the boot CPU has cleaned it
    ldrb    w2, [x1, #:lo12:traps_are_zero]
    cbnz    w2, 5f

    // FEAT_FGT: HFGRTR, HFGWTR, HFGITR, HDFGRTR, HDFGWTR.
    mrs     x1, id_aa64mmfr0_el1
    ubfx    x1, x1, #56, #4
    cbz     x1, 3f
    no_traps s3_4_c1_c1_4
    no_traps s3_4_c1_c1_5
    no_traps s3_4_c1_c1_6
    no_traps s3_4_c3_c1_4
    no_traps s3_4_c3_c1_5

    // FEAT_HCX: HCRX_EL2. Nothing of it is used; its TALLINT would trap ALLINT.
3:  mrs     x1, id_aa64mmfr1_el1
    ubfx    x1, x1, #40, #4
    cbz     x1, 5f
    no_traps s3_4_c1_c2_2

    // GICv3 CPU interface: system registers, for EL1 too. If SRE does not stick, firmware runs the GIC as a GICv2.
5:  mrs     x1, id_aa64pfr0_el1
    ubfx    x1, x1, #24, #4
    cbz     x1, 4f
    mrs     x1, s3_4_c12_c9_5       // ICC_SRE_EL2
    orr     x1, x1, #0xf            // SRE, DFB, DIB, Enable
    msr     s3_4_c12_c9_5, x1
    isb
    mrs     x1, s3_4_c12_c9_5
    tbz     x1, #0, 4f
    msr     s3_4_c12_c11_0, xzr     // ICH_HCR_EL2

4:  mov     x1, #0x3c5              // EL1h, DAIF masked
    msr     spsr_el2, x1
    msr     elr_el2, x30
    mov     x0, #2
    cmp     x3, #0
    cset    x1, eq
    eret

// Written by the boot CPU, once, before there is any other. In a cache line of its own, which is written back.
.section .data.traps, "aw"
.balign 64
.global traps_are_zero
traps_are_zero:
    .byte   0
    .balign 64
