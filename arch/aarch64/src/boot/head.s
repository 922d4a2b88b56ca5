// The boot CPU from the boot loader to Rust.
//
// At entry (boot protocol): x0 = physical address of the device tree, MMU off, data cache clean over the image, EL2 or
// non-secure EL1. Kept in x19..x23 until there is memory to put them in.

.section .idmap.text, "ax"

.global primary_entry
primary_entry:
    mrs     x1, CurrentEL
    isb
    mrs     x22, cntvct_el0         // time zero of the log
    cmp     x1, #(2 << 2)
    b.ne    1f
    mrs     x22, cntpct_el0         // the virtual offset is unknown until init_el clears it
1:  mov     x21, x0
    bl      init_el
    mov     x20, x0
    mov     x23, x1
    bl      make_early_tables
    adrp    x19, _text
    adrp    x0, early_root
    bl      enable_mmu
    ldr     x0, =primary_switched
    br      x0

.section .text.boot, "ax"
.cfi_startproc
.cfi_undefined x30                  // a debugger's backtrace ends here
primary_switched:
    ldr     x0, =vectors
    msr     vbar_el1, x0
    isb
    ldr     x0, =init_stack_top
    mov     sp, x0

    // Cleared with caches on, so that nothing has to be maintained. Both ends are 4 KiB aligned.
    ldr     x0, =__bss_start
    ldr     x1, =__bss_stop
2:  stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    2b

    ldr     x0, =BOOT_CYCLES
    str     x22, [x0]
    ldr     x0, =BOOT_EL
    str     x20, [x0]
    ldr     x0, =traps_are_zero
    strb    w23, [x0]
    dc      cvac, x0                // read past the caches
    dsb     sy

    // A first stack canary, until start_kernel makes a better one: the counter spread by a multiplication, mixed with
    // RNDR where there is one (ID_AA64ISAR0_EL1.RNDR). The low byte stays zero and so ends any string that runs over.
    mrs     x1, cntvct_el0
    mov_q   x2, 0x9e3779b97f4a7c15
    mul     x1, x1, x2
    mrs     x2, id_aa64isar0_el1
    ubfx    x2, x2, #60, #4
    cbz     x2, 3f
    mrs     x2, s3_3_c2_c4_0        // RNDR; reads zero when it fails, which does no harm
    eor     x1, x1, x2
3:  bic     x1, x1, #0xff
    ldr     x0, =__stack_chk_guard
    str     x1, [x0]

    // From here on the low half of the address space is empty, and a per-CPU base of zero faults.
    msr     tpidr_el1, xzr
    adrp    x0, _text               // virtual now
    sub     x0, x0, x19             // virtual - physical
    ldr     x1, =empty_root
    sub     x1, x1, x0
    msr     ttbr0_el1, x1
    isb
    tlbi    vmalle1
    dsb     nsh
    isb

    msr     daifclr, #4             // SError: the vectors can report it

    mov     x0, x21
    mov     x1, x19
    mov     x29, xzr
    mov     x30, xzr
    bl      rust_entry
4:  wfi
    b       4b
.cfi_endproc
