//! The first Rust function, and what the compiler expects of a kernel.

use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::console;
use crate::exceptions::{Esr, Frame};

/// What the compiler's stack protector compares with. One for all CPUs: the ABI of this target has no other.
#[unsafe(no_mangle)]
static __stack_chk_guard: AtomicUsize = AtomicUsize::new(0);

#[unsafe(no_mangle)]
extern "C" fn __stack_chk_fail() -> ! {
    panic!("stack canary overwritten");
}

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for b in s.bytes() {
            if b == b'\n' {
                console::write(b"\r");
            }
            console::write(&[b]);
        }
        Ok(())
    }
}

#[unsafe(no_mangle)]
extern "C" fn rust_entry(fdt_pa: u64, phys_base: u64) -> ! {
    console::last_resort();
    let _ = writeln!(
        Serial,
        "Standstill aarch64: image at {phys_base:#x}, device tree at {fdt_pa:#x}, EL{}, {} cycles",
        crate::boot::BOOT_EL.load(Ordering::Relaxed),
        crate::boot::BOOT_CYCLES.load(Ordering::Relaxed),
    );
    panic!("nothing to run yet");
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Serial, "panic: {info}");
    loop {
        aarch64_cpu::asm::wfi();
    }
}

#[unsafe(no_mangle)]
extern "C" fn handle_sync(frame: &mut Frame) {
    let _ = writeln!(Serial, "{}\n{frame}", Esr(frame.esr));
    panic!("exception");
}
#[unsafe(no_mangle)]
extern "C" fn handle_bad_stack(frame: &mut Frame) {
    let _ = writeln!(Serial, "bad stack {}\n{frame}", Esr(frame.esr));
    panic!("exception");
}
#[unsafe(no_mangle)]
extern "C" fn handle_irq(_frame: &mut Frame) {}
#[unsafe(no_mangle)]
extern "C" fn handle_serror(frame: &mut Frame) {
    let _ = writeln!(Serial, "{}\n{frame}", Esr(frame.esr));
    panic!("exception");
}
#[unsafe(no_mangle)]
extern "C" fn handle_unexpected(frame: &mut Frame) {
    let _ = writeln!(Serial, "{}\n{frame}", Esr(frame.esr));
    panic!("exception");
}
