# The bzImage's first sector and the setup header in it (Linux boot protocol 2.15).
#
# Everything here is addressed by the segment it is loaded at, from 0; differences of labels make that a matter of the
# assembler, so the linker fills in only the three figures it alone knows. What the composed image looks like is in
# arch/x86/README.md.
#
# From outside: BOOT_ALIGN, BOOT_ALIGN_LOG2, BOOT_LOAD_ADDRESS, BOOT_XLOADFLAGS, BOOT_INITRD_MAX,
# BOOT_COMMAND_LINE_BYTES, the macro boot_version; from the linker script: _payload_paragraphs, _image_bytes,
# _kernel_info_offset.

.section .setup, "", @progbits
.code16
setup_base:
# The firmware started this sector: somebody wrote the image to a disk as it is.
    ljmp $0x07c0, $(1f - setup_base)
1:  movw %cs, %ax
    movw %ax, %ds
    movw %ax, %ss
    xorw %sp, %sp
    sti
    cld
    movw $(setup_no_loader - setup_base), %si
    call setup_print
    xorw %ax, %ax
    int $0x16                           # wait for a key
    int $0x19                           # and try to boot something else
1:  hlt
    jmp 1b

# In: %ds:%si = zero-terminated text.
1:  movb $0x0e, %ah                     # int 10h, teletype
    movw $7, %bx
    int $0x10
setup_print:
    lodsb
    testb %al, %al
    jnz 1b
    ret

setup_no_loader:
    .asciz "Standstill is booted by a boot loader: GRUB, or QEMU's -kernel. Press a key.\r\n"

.org setup_base + 0x1ef
    .byte 0xff, 0xff                    # sentinel: shows a loader that makes boot_params of more than the header
    .byte (setup_end - setup_base) / 512 - 1    # setup_sects: the first sector does not count
    .word 0                             # root_flags
    .long _payload_paragraphs           # syssize, in 16 bytes
    .word 0                             # ram_size
    .word 0xffff                        # vid_mode: leave it as it is
    .word 0                             # root_dev
    .word 0xaa55                        # boot_flag
.org setup_base + 0x200
    .byte 0xeb, setup_start - 1f        # jump; its operand also says where the header ends
1:  .ascii "HdrS"
    .word 0x020f                        # version 2.15
    .long 0                             # realmode_swtch
    .word 0                             # start_sys_seg
    .word setup_version - setup_base - 0x200
    .byte 0                             # type_of_loader
    .byte 1                             # loadflags: LOADED_HIGH
    .word 0                             # setup_move_size
setup_code32:
    .long 0x100000                      # code32_start
    .long 0                             # ramdisk_image
    .long 0                             # ramdisk_size
    .long 0                             # bootsect_kludge
    .word setup_stack_top - setup_base - 0x200  # heap_end_ptr
    .byte 0                             # ext_loader_ver
    .byte 0                             # ext_loader_type
    .long 0                             # cmd_line_ptr
    .long BOOT_INITRD_MAX               # initrd_addr_max
    .long BOOT_ALIGN                    # kernel_alignment
    .byte 1                             # relocatable_kernel
    .byte BOOT_ALIGN_LOG2               # min_alignment: no page table can do with less
    .word BOOT_XLOADFLAGS               # xloadflags
    .long BOOT_COMMAND_LINE_BYTES - 1   # cmdline_size, without the terminator
    .long 0                             # hardware_subarch: a PC
    .quad 0                             # hardware_subarch_data
    .long 0, 0                          # payload_offset, payload_length: nothing is compressed
    .quad 0                             # setup_data
    .quad BOOT_LOAD_ADDRESS             # pref_address
    .long _image_bytes                  # init_size
    .long 0                             # handover_offset
    .long _kernel_info_offset           # kernel_info_offset
