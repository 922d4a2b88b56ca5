//! The x86_64 kernel.
#![no_std]
#![no_main]

mod entry;

/// The first Rust code, called once by the entry assembly; `docs/boot-x86.md` says in which state.
#[unsafe(no_mangle)]
extern "C" fn rust_entry(kind: u32, pointer: usize, phys_base: usize) -> ! {
    let _ = (kind, pointer, phys_base);
    for byte in b"standstill x86_64\r\n" {
        // SAFETY: COM1's transmit register; nothing else drives it yet.
        unsafe { core::arch::asm!("out dx, al", in("dx") 0x3f8_u16, in("al") *byte, options(nomem, nostack)) };
    }
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Called by the compiler where a function finds its canary overwritten.
#[unsafe(no_mangle)]
extern "C" fn __stack_chk_fail() -> ! {
    panic!("stack smashed")
}
