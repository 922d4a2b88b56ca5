// The arm64 Image header: 64 bytes a boot loader reads, the first 4 of which it jumps to.
// (Linux Documentation/arch/arm64/booting.rst, "Call the kernel image"; all fields little endian.)

.cfi_sections .debug_frame            // for debuggers; the image carries no unwind tables

.section .head.text, "ax"
.global _start
_start:
    b       primary_entry           // code0: the jump over the header
    .long   0                       // code1
    .quad   0                       // text_offset: none, any 2 MiB aligned base will do
    .quad   _image_size             // image_size: with bss, stacks and early tables
    .quad   0xa                     // flags: little endian; 4 KiB pages (1 << 1); anywhere in memory (1 << 3)
    .quad   0                       // res2
    .quad   0                       // res3
    .quad   0                       // res4
    .ascii  "ARM\x64"               // magic
    .long   0                       // res5: no PE header
