//! Port I/O (SDM Vol. 1, ch. 19).

use core::arch::asm;

macro_rules! port_access {
    ($read:ident, $write:ident, $ty:ty, $width:literal, $reg:tt, $in:literal, $out:literal) => {
        #[doc = concat!("Reads ", $width, " from `port`.")]
        ///
        /// # Safety
        ///
        /// Reading the port must have no effect that breaks another owner of the device.
        #[inline(always)]
        pub unsafe fn $read(port: u16) -> $ty {
            let value: $ty;
            // SAFETY: the caller answers for what the device does; the instruction itself touches no memory.
            unsafe { asm!($in, out($reg) value, in("dx") port, options(nomem, nostack, preserves_flags)) };
            value
        }

        #[doc = concat!("Writes ", $width, " to `port`.")]
        ///
        /// # Safety
        ///
        /// The write must not break another owner of the device, nor make it write to memory in use.
        #[inline(always)]
        pub unsafe fn $write(port: u16, value: $ty) {
            // SAFETY: the caller answers for what the device does. Not `nomem`: the write may be what starts or
            // stops the machine, and all earlier stores must have been made by then.
            unsafe { asm!($out, in("dx") port, in($reg) value, options(nostack, preserves_flags)) };
        }
    };
}

port_access!(inb, outb, u8, "a byte", "al", "in al, dx", "out dx, al");
port_access!(inw, outw, u16, "two bytes", "ax", "in ax, dx", "out dx, ax");
port_access!(inl, outl, u32, "four bytes", "eax", "in eax, dx", "out dx, eax");

/// Spends about one microsecond on any PC.
///
/// Port 0x80 is the POST code port: no device listens, and the bus cycle takes as long as the slowest ISA device needs.
#[inline(always)]
pub fn delay_1us() {
    // SAFETY: nothing but a diagnostic display reads port 0x80.
    unsafe { outb(0x80, 0) };
}
