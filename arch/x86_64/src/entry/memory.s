# What the entry code needs beyond the bytes that are loaded. All of it lies in the first 2 MiB of the image.

.section .bss.boot, "aw", @nobits
.balign 4096
# The boot root: low 4 GiB as they are and in the physmap window, image window. Kept: starting CPUs run on it, once its
# upper half has been brought in step with the kernel's root.
.globl trampoline_pgd
trampoline_pgd:
    .skip 4096
boot_low_pdpt:
    .skip 4096
boot_low_pd:
    .skip 4 * 4096
boot_high_pdpt:
    .skip 4096
boot_high_pd:
    .skip 4096
boot_image_pdpt:
    .skip 4096
boot_image_pd:
    .skip 4096
boot_image_pt:
    .skip 4096
boot_pml5:
    .skip 4096
boot_params_copy:
    .skip 4096
boot_command_line:
    .skip BOOT_COMMAND_LINE_BYTES
    .balign 4096
    .skip 4096 - 64
# The header of a per-CPU area that has no variables: it ends where the guard page begins, so whoever uses a variable
# before the area is real faults.
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

# The header of every per-CPU area; the stack canary is at 0x28 in it.
.section .percpu.head, "aw", @progbits
.balign 64
.globl per_cpu_head
per_cpu_head:
    .skip 64
