//! Counter 2 of the 8254: the reference clock of machines without an ACPI timer. It drives no interrupt; its output
//! is read back through the speaker port.

use crate::io::{inb, outb};
use crate::regs::rdtsc;

/// Ticks per second.
pub const HZ: u64 = 1_193_182;

const COUNTER_2: u16 = 0x42;
const COMMAND: u16 = 0x43;
/// System control port B: bit 0 gates counter 2, bit 1 feeds the speaker, bit 5 is the counter's output.
const CONTROL_B: u16 = 0x61;
/// Counter 2, both bytes, mode 0: the output rises when the count ends.
const MODE_0: u8 = 0b1011_0000;

/// Reads of the output after which the counter is taken to be missing.
const DEAD: u32 = 1_000_000;

/// TSC ticks while the counter counts `ticks` (2 at least) down. `None` if it does not.
pub fn tsc_ticks_during(ticks: u16) -> Option<u64> {
    // SAFETY: the speaker's counter is the kernel's alone; the speaker itself is off.
    let start = unsafe {
        outb(CONTROL_B, inb(CONTROL_B) & !0b11 | 0b01);
        outb(COMMAND, MODE_0);
        outb(COUNTER_2, ticks as u8);
        outb(COUNTER_2, (ticks >> 8) as u8);
        rdtsc()
    };
    // SAFETY: reading the port has no effect.
    let expired = || unsafe { inb(CONTROL_B) } & 1 << 5 != 0;
    // An output that is high at once belongs to no counter (an empty port reads as all ones).
    if expired() {
        return None;
    }
    (0..DEAD).find(|_| expired()).map(|_| rdtsc().wrapping_sub(start))
}
