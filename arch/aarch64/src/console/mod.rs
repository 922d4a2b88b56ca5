//! The serial console: one PL011, wherever it turns out to be.

mod pl011;

use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use self::pl011::Pl011;
use crate::mmu::fixmap;

/// Address of the registers in use, zero while there are none. One word, because the panic path reads it from any CPU
/// in any state.
static UART: AtomicUsize = AtomicUsize::new(0);

/// Where QEMU's `virt` machine has its PL011.
const VIRT_UART: u64 = 0x0900_0000;

/// The UART in use.
fn uart() -> Option<&'static Pl011> {
    // SAFETY: the word is zero or the address at which a PL011 is mapped for good; all accesses are volatile and
    // through shared references.
    unsafe { ptr::with_exposed_provenance::<Pl011>(UART.load(Ordering::Acquire)).as_ref() }
}

/// Makes the PL011 at physical address `pa` the console.
pub fn use_pl011(pa: u64) {
    UART.store(fixmap::map_uart(pa), Ordering::Release);
    if let Some(uart) = uart() {
        uart.enable();
    }
}

/// For a boot that has failed and knows of no console: there is one machine whose UART is worth a guess. If it is not
/// there the read may abort, which ends as the boot would have ended anyway.
pub fn last_resort() {
    if uart().is_some() {
        return;
    }
    use_pl011(VIRT_UART);
    if !uart().is_some_and(Pl011::is_one) {
        UART.store(0, Ordering::Release);
    }
}

/// Writes all of `bytes`; false while there is no console.
pub fn write(bytes: &[u8]) -> bool {
    uart()
        .map(|uart| bytes.iter().all(|&byte| uart.send(byte)))
        .is_some()
}
