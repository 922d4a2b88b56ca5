// Replacing the kernel's root table under the running kernel.
//
// Old and new tables map the image with leaves of different size, and both must never be in the TLB at once (Arm ARM
// D8.14.1, break-before-make). So the switch is made from the identity map, with nothing at all in the upper half.

.section .text.switch_root, "ax"

// switch_root: x0 = physical address of the new root, x1 = virtual minus physical address of the image.
.global switch_root
switch_root:
    mrs     x9, daif
    msr     daifset, #0xf
    ldr     x2, =idmap_root
    sub     x2, x2, x1
    msr     ttbr0_el1, x2
    isb
    ldr     x3, =empty_root
    sub     x3, x3, x1
    ldr     x4, =switch_root_low
    sub     x4, x4, x1
    adr     x5, 1f
    br      x4
1:  msr     ttbr0_el1, x3
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    msr     daif, x9
    ret

.section .idmap.text, "ax"
switch_root_low:
    msr     ttbr1_el1, x3
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    msr     ttbr1_el1, x0
    isb
    br      x5
