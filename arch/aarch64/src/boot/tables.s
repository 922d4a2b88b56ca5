// The tables the boot CPU starts on, made with the MMU off.
//
//   TTBR1  early_root[511] -> early_l1[510] -> early_image_l2: the image, 2 MiB blocks, RWX until the final tables;
//                             early_guard_l3: one of the blocks by pages, for the guard below the boot stack
//                             early_l1[511] -> early_fixmap_l2: empty; Rust maps the device tree and the UART there
//                             (and RAM around the image through early_physmap_l1, early_physmap_l2)
//   TTBR0  idmap_root -> idmap_l1 -> idmap_l2: the image's first 2 MiB at their physical address, read-only.
//          Every secondary comes through it, so it stays. empty_root takes its place: no null page.

.section .idmap.text, "ax"

// Invalidates the data cache over [x0, x1), both line aligned. With the MMU off, stores go past the caches: a dirty
// line left by the boot loader could overwrite them later, a clean one hide them. Clobbers x0, x2, x3.
invalidate_range:
    mrs     x3, ctr_el0
    ubfx    x3, x3, #16, #4         // DminLine: log2 of words
    mov     x2, #4
    lsl     x2, x2, x3
1:  dc      ivac, x0
    add     x0, x0, x2
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    ret

// make_early_tables: clobbers x0..x9, x28.
make_early_tables:
    mov     x28, x30
    adrp    x0, early_tables
    adrp    x1, early_tables_end
    bl      invalidate_range

    adrp    x0, early_tables
    adrp    x1, early_tables_end
1:  stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    // The kernel's half.
    adrp    x0, early_root
    adrp    x1, early_l1
    orr     x2, x1, #{TABLE}
    str     x2, [x0, #(511 * 8)]
    adrp    x2, early_image_l2
    orr     x2, x2, #{TABLE}
    str     x2, [x1, #(510 * 8)]
    adrp    x2, early_fixmap_l2
    orr     x2, x2, #{TABLE}
    str     x2, [x1, #(511 * 8)]

    adrp    x0, early_image_l2
    adrp    x4, _text               // the 2 MiB aligned base
    adrp    x5, _end
    mov_q   x3, {BLOCK_RWX}
2:  orr     x2, x4, x3
    str     x2, [x0], #8
    add     x4, x4, #0x200000
    cmp     x4, x5
    b.lo    2b

    // The block the boot stack's guard page lies in is mapped by pages, all but the guard: an overflow faults from the
    // first call on.
    adrp    x4, init_stack_guard
    adrp    x5, _text
    sub     x6, x4, x5
    lsr     x6, x6, #21             // block within the image
    add     x5, x5, x6, lsl #21     // its physical address
    adrp    x0, early_image_l2
    adrp    x1, early_guard_l3
    orr     x2, x1, #{TABLE}
    str     x2, [x0, x6, lsl #3]
    mov_q   x3, {PAGE_RWX}
    add     x6, x1, #4096
3:  orr     x2, x5, x3
    cmp     x5, x4
    csel    x2, xzr, x2, eq
    str     x2, [x1], #8
    add     x5, x5, #4096
    cmp     x1, x6
    b.lo    3b

    // The identity map.
    adrp    x4, _text
    adrp    x0, idmap_root
    adrp    x1, idmap_l1
    orr     x2, x1, #{TABLE}
    ubfx    x3, x4, #39, #9
    str     x2, [x0, x3, lsl #3]
    adrp    x0, idmap_l2
    orr     x2, x0, #{TABLE}
    ubfx    x3, x4, #30, #9
    str     x2, [x1, x3, lsl #3]
    mov_q   x3, {BLOCK_RX}
    orr     x2, x4, x3
    ubfx    x3, x4, #21, #9
    str     x2, [x0, x3, lsl #3]

    // Lines speculated in meanwhile go too.
    dmb     sy
    adrp    x0, early_tables
    adrp    x1, early_tables_end
    bl      invalidate_range
    mov     x30, x28
    ret
