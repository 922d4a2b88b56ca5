// A secondary CPU from PSCI CPU_ON to Rust. At entry (DEN0022 6.4): x0 = the context, the physical address of the CPU's
// own boot block; MMU off; EL1, or EL2 where the boot CPU was entered there.

.cfi_sections .debug_frame                // for debuggers; the image carries no unwind tables

.section .idmap.text, "ax"
.global smp_secondary_entry
smp_secondary_entry:
    mov     x19, x0
    bl      init_el
    ldr     x0, [x19, #{BLOCK_ROOT}]        // past the caches: the boot CPU has cleaned the block
    bl      enable_mmu
    adrp    x20, _text                      // physical still
    ldr     x0, =smp_secondary_switched
    br      x0

.section .text.secondary, "ax"
.cfi_startproc
.cfi_undefined x30                      // a debugger's backtrace ends here
smp_secondary_switched:
    ldr     x0, =vectors
    msr     vbar_el1, x0
    adrp    x0, _text                       // virtual now
    sub     x0, x0, x20
    ldr     x1, =empty_root
    sub     x1, x1, x0
    msr     ttbr0_el1, x1
    msr     tpidr_el1, xzr
    isb
    tlbi    vmalle1
    dsb     nsh
    isb

    mov     x1, #{PHYSMAP_BASE}            // physical addresses begin at zero there
    add     x0, x19, x1
    ldr     w1, [x0, #{BLOCK_LIFE}]
    cmp     w1, #{REVOKED}
    b.eq    park_loop                       // too late: the stack may be somebody else's
    ldr     x1, [x0, #{BLOCK_STACK_TOP}]
    mov     sp, x1
    ldr     x1, [x0, #{BLOCK_AREA}]         // a panic of the first Rust line wants to know the thread
    msr     tpidr_el1, x1
    mov     x29, xzr
    mov     x30, xzr
    msr     daifclr, #4                     // SError
    bl      smp_secondary_rust
    b       park_loop
.cfi_endproc
