// Where a stopped CPU stands, in a page of its own: nothing in it stores, and nothing outside it is needed any more.

.section .text.park, "ax"
.balign 4096

// park_page: x0 = how to leave for good: 1 PSCI CPU_OFF by HVC, 2 by SMC, 0 not at all. Firmware may refuse.
.global park_page
park_page:
    msr     daifset, #0xf
    mov     x19, x0
    movz    w0, #0x0002             // CPU_OFF (DEN0022 5.1.3): no arguments
    movk    w0, #0x8400, lsl #16
    cmp     x19, #1
    b.eq    1f
    cmp     x19, #2
    b.ne    park_loop
    smc     #0
    b       park_loop
1:  hvc     #0

// Every exception masked, the GIC's CPU interface off: nothing ends this wait.
.global park_loop
park_loop:
    msr     daifset, #0xf
    mrs     x0, id_aa64pfr1_el1
    ubfx    x0, x0, #36, #4         // NMI
    cbz     x0, 2f
    mov     x0, #(1 << 13)
    msr     s3_0_c4_c3_0, x0        // ALLINT
2:  dsb     sy
    wfi
    b       2b
