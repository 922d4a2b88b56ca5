# What the entry code needs beyond the bytes that are loaded. All of it lies in the first 4 MiB of the image.

.section .bss.boot, "aw", @nobits
.balign 4096
# The boot root: physmap in its window and as it is, image window. Kept: starting CPUs, EFI and the way back to real mode
# run on it, once its upper half has been brought in step with the kernel's root.
.globl initial_page_table
initial_page_table:
    .skip 4096
# The kernel's root; filled by the kernel.
.globl swapper_pg_dir
swapper_pg_dir:
    .skip 4096
boot_image_pt:
    .skip 4096
# The header of a per-CPU area that has no variables. Its segment ends behind it, and so does its page: QEMU's TCG, for
# one, does not look at segment limits, and the guard page makes whoever uses a variable too early fault there, too.
    .skip 4096 - 64
.globl boot_head
boot_head:
    .skip 64
.globl init_stack_guard
init_stack_guard:
    .skip 4096
.globl init_stack
init_stack:
    .skip 4 * 4096
.globl init_stack_top
init_stack_top:

# The header of every per-CPU area; the stack canary is at 0x14 in it.
.section .percpu.head, "aw", @progbits
.balign 64
.globl per_cpu_head
per_cpu_head:
    .skip 64
