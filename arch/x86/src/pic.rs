//! The pair of 8259s: moved out of the way of the exceptions and masked for good. The IO-APICs do their work.

use crate::io::{delay_1us, outb};
use crate::vectors::LEGACY_BASE;

const MASTER: u16 = 0x20;
const SLAVE: u16 = 0xa0;

/// ICW1: edge triggered, cascaded, ICW4 follows.
const INIT: u8 = 0x11;
/// ICW4: 8086 mode.
const MODE_8086: u8 = 0x01;

/// Initialises and masks both controllers.
///
/// Masking alone would not do: a line that drops while it is being delivered comes as a spurious IRQ 7 or 15 even when
/// masked, and at the reset vectors that would look like an exception.
pub fn mask_all() {
    let writes = [
        (MASTER, INIT),
        (SLAVE, INIT),
        (MASTER + 1, LEGACY_BASE),
        (SLAVE + 1, LEGACY_BASE + 8),
        // ICW3: the slave hangs on line 2 of the master.
        (MASTER + 1, 1 << 2),
        (SLAVE + 1, 2),
        (MASTER + 1, MODE_8086),
        (SLAVE + 1, MODE_8086),
        (MASTER + 1, 0xff),
        (SLAVE + 1, 0xff),
    ];
    for (port, value) in writes {
        // SAFETY: the controllers are the kernel's alone, interrupts are off, and a machine without them ignores the
        // writes.
        unsafe { outb(port, value) };
        delay_1us();
    }
}
