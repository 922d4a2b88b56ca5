//! The console: a 16550.

use core::fmt;

const BASE: usize = 0x1000_0000;

pub struct Uart;

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(put);
        Ok(())
    }
}

fn put(byte: u8) {
    let at = |register: usize| core::ptr::with_exposed_provenance_mut::<u8>(BASE + register);
    const EMPTY: u8 = 0x20;
    // A console that never gets free loses bytes; it does not hang who speaks.
    for _ in 0..100_000 {
        // SAFETY: the line status register of the machine's UART, which reads without effect on memory.
        if unsafe { at(5).read_volatile() } & EMPTY != 0 {
            break;
        }
    }
    // SAFETY: the transmit register of the machine's UART.
    unsafe { at(0).write_volatile(byte) }
}

macro_rules! println {
    ($($arg:tt)*) => {{
        use core::fmt::Write as _;
        let _ = writeln!($crate::uart::Uart, $($arg)*);
    }};
}
pub(crate) use println;
