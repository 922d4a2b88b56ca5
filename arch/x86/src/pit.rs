//! Counter 0 of the 8254: the reference clock of machines without an ACPI timer. Its output is an interrupt that nobody
//! routes; its gate is always open, which cannot be said of counter 2 on machines without a speaker.

use crate::io::{inb, outb};
use crate::reference::Reference;

const COUNTER_0: u16 = 0x40;
const COMMAND: u16 = 0x43;
/// Counter 0, both bytes, mode 2: counts down by one and starts over.
const MODE_2: u8 = 0b0011_0100;
/// Holds the count of counter 0 until both bytes have been read.
const LATCH_0: u8 = 0;

/// The counter, counting through all 16 bits: 54.9 ms.
#[derive(Debug)]
pub struct Pit(());

impl Pit {
    /// Starts it.
    pub fn start() -> Self {
        // SAFETY: the counter is the kernel's alone, and its interrupt is masked. A count of 0 means 65536.
        unsafe {
            outb(COMMAND, MODE_2);
            outb(COUNTER_0, 0);
            outb(COUNTER_0, 0);
        }
        Self(())
    }
}

impl Reference for Pit {
    const HZ: u64 = 1_193_182;

    fn mask(&self) -> u32 {
        0xffff
    }

    fn read(&self) -> u32 {
        // SAFETY: as in `start`.
        let count = unsafe {
            outb(COMMAND, LATCH_0);
            u16::from_le_bytes([inb(COUNTER_0), inb(COUNTER_0)])
        };
        u32::from(!count)
    }
}
