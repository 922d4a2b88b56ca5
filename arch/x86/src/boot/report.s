# What a CPU is asked before anything is built on it, and the last words of a kernel that cannot start: on COM1 and on the VGA
# text screen, because nobody knows yet which of the two there is. The same source is assembled for 32-bit and for 64-bit
# mode; it uses no stack.

# The words, and on the serial line what tells a program that this was a panic, and that the machine stays: no other CPU was
# ever started.
.macro boot_words text:req
    .ascii "standstill: \text\r\n"
    .ascii "@panic cpu=0 reason=panic why=\"\text\"\r\n"
    .asciz "@stop state=stopped reason=panic owner=0 stopped= off= silent= took_ns=0\r\n@end how=halt\r\n"
.endm

# Asks for the features in CPUID.1:EDX of a table at \si: a mask and what to say if a bit of it is missing; 0 ends it.
# Goes to \report if one is; \si, %eax, %ebx, %ecx and %edx are used up.
.macro boot_ask si, report
    cld
    movl $1, %eax
    cpuid
    jmp .Lask_next\@
.Lask_one\@:
    andl %edx, %eax
    jz \report
.Lask_skip\@:
    lodsb (%\si), %al
    testb %al, %al
    jnz .Lask_skip\@
.Lask_next\@:
    lodsl (%\si), %eax
    testl %eax, %eax
    jnz .Lask_one\@
.endm

# In: \si = address of a zero-terminated text, of which the screen gets the first line. Does not return.
.macro boot_report si, di
    cld
    # 115200 baud, 8N1, interrupts off. Firmware may have left the port alone.
    movw $0x3fb, %dx                    # line control: divisor latch
    movb $0x80, %al
    outb %al, %dx
    movw $0x3f8, %dx
    movb $1, %al
    outb %al, %dx
    movw $0x3f9, %dx
    xorl %eax, %eax
    outb %al, %dx
    movw $0x3fb, %dx
    movb $3, %al
    outb %al, %dx
    movl $0xb8000, %edi
    xorl %ebx, %ebx                     # %bh: the first line is over
.Lreport_next\@:
    lodsb (%\si), %al
    testb %al, %al
    jz .Lreport_halt\@
    movb %al, %bl
    cmpb $' ', %bl                      # carriage return and line feed mean nothing on the screen
    jae .Lreport_screen\@
    movb $1, %bh
.Lreport_screen\@:
    testb %bh, %bh
    jnz .Lreport_serial\@
    movb %bl, (%\di)
    movb $0x0f, 1(%\di)                 # white on black
    addl $2, %edi
.Lreport_serial\@:
    movw $0x3fd, %dx                    # line status: wait for room, but not for ever on a port that is not there
    movl $0x10000, %ecx
.Lreport_wait\@:
    inb %dx, %al
    testb $0x20, %al
    jnz .Lreport_send\@
    decl %ecx
    jnz .Lreport_wait\@
.Lreport_send\@:
    movw $0x3f8, %dx
    movb %bl, %al
    outb %al, %dx
    jmp .Lreport_next\@
.Lreport_halt\@:
    cli
    hlt
    jmp .Lreport_halt\@
.endm
