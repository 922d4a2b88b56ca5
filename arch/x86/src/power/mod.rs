//! The ends of the machine: the registers firmware tells of, and every known [way](ways).

pub mod real_mode;
pub mod ways;

use core::arch::asm;
use core::num::NonZeroUsize;

use crate::io::{delay_1us, inw, outb, outl, outw};

/// A register firmware told of, made reachable (ACPI 6.5, 5.2.3.2, Generic Address Structure).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// An I/O port.
    Port(u16),
    /// Mapped, uncached memory.
    Memory(NonZeroUsize),
    /// A byte of PCI configuration space on bus 0: device, function, offset.
    Pci(u8, u8, u16),
}

impl Register {
    /// Writes a byte.
    ///
    /// # Safety
    /// The register must be what firmware said, and its effect wanted.
    unsafe fn write_u8(self, value: u8) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Port(port) => outb(port, value),
                Self::Memory(at) => {
                    core::ptr::with_exposed_provenance_mut::<u8>(at.get()).write_volatile(value)
                }
                Self::Pci(device, function, offset) => {
                    outl(0xcf8, pci_address(device, function, offset));
                    outb(0xcfc + (offset & 3), value);
                }
            }
        }
    }

    /// Reads two bytes; 0 from PCI space, which is not used for registers of that size.
    ///
    /// # Safety
    /// The register must be what firmware said.
    unsafe fn read_u16(self) -> u16 {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Port(port) => inw(port),
                Self::Memory(at) => core::ptr::with_exposed_provenance::<u16>(at.get()).read_volatile(),
                Self::Pci(..) => 0,
            }
        }
    }

    /// Writes two bytes; nothing to PCI space.
    ///
    /// # Safety
    /// As for [`Self::write_u8`].
    unsafe fn write_u16(self, value: u16) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Port(port) => outw(port, value),
                Self::Memory(at) => {
                    core::ptr::with_exposed_provenance_mut::<u16>(at.get()).write_volatile(value)
                }
                Self::Pci(..) => {}
            }
        }
    }
}

/// The address register of PCI configuration mechanism #1, for bus 0.
const fn pci_address(device: u8, function: u8, offset: u16) -> u32 {
    1 << 31 | (device as u32 & 0x1f) << 11 | (function as u32 & 7) << 8 | (offset as u32 & 0xfc)
}

/// What firmware said about ending the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    /// The reset register and the value to write.
    pub reset: Option<(Register, u8)>,
    /// How to reach S5.
    pub sleep: Option<Sleep>,
}

/// How soft-off is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// PM1 control registers, and the sleep type for each (ACPI 6.5, 4.8.3.2.1).
    Pm1 {
        /// PM1a control and its sleep type.
        a: (Register, u8),
        /// PM1b control, where there is one.
        b: Option<(Register, u8)>,
        /// Port and value that hand the registers over from the firmware, where that is still to be done.
        enable: Option<(u16, u8)>,
    },
    /// The sleep control register of reduced hardware, and the sleep type (ACPI 6.5, 4.8.3.7).
    Control(Register, u8),
}

/// PM1 control: ACPI owns the registers.
const PM1_SCI_ENABLE: u16 = 1 << 0;
/// PM1 control: enter the sleep state of the type in bits 10 to 12.
const PM1_SLEEP_ENABLE: u16 = 1 << 13;
/// Sleep control: the same, with the type in bits 2 to 4.
const CONTROL_SLEEP_ENABLE: u8 = 1 << 5;

/// PM1 control `now`, with the order to enter the sleep state of `sleep_type`.
const fn pm1_sleep(now: u16, sleep_type: u8) -> u16 {
    now & !(7 << 10) | PM1_SLEEP_ENABLE | (sleep_type as u16 & 7) << 10
}

impl Sleep {
    /// Asks.
    ///
    /// # Safety
    /// All CPUs but this one have stopped, and nothing is left to be done.
    unsafe fn enter(self) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Pm1 { a, b, enable } => {
                    take_over(a.0, enable);
                    for (register, sleep_type) in [Some(a), b].into_iter().flatten() {
                        register.write_u16(pm1_sleep(register.read_u16(), sleep_type));
                    }
                }
                Self::Control(register, sleep_type) => {
                    register.write_u8(CONTROL_SLEEP_ENABLE | (sleep_type & 7) << 2);
                }
            }
        }
    }
}

/// Firmware keeps the PM1 registers to itself until it is told otherwise (ACPI 6.5, 4.8.3.4).
///
/// # Safety
/// As for [`Sleep::enter`].
unsafe fn take_over(control: Register, enable: Option<(u16, u8)>) {
    // SAFETY: the caller's promise; the wait is bounded.
    unsafe {
        let Some((port, value)) = enable.filter(|_| control.read_u16() & PM1_SCI_ENABLE == 0) else {
            return;
        };
        outb(port, value);
        for _ in 0..PATIENCE {
            if control.read_u16() & PM1_SCI_ENABLE != 0 {
                return;
            }
            delay_1us();
        }
    }
}

/// Microseconds a way is given before the next is tried.
const PATIENCE: u32 = 50_000;

fn wait() {
    (0..PATIENCE).for_each(|_| delay_1us());
}

/// An exception with no way to report it, nor the exceptions that follow: the CPU shuts down, which resets a PC.
pub fn triple_fault() {
    let empty = [0_u16; 5];
    // SAFETY: the kernel calls this last, or to see what its death looks like from outside.
    unsafe { asm!("lidt [{}]", "ud2", in(reg) &empty, options(nostack)) };
}

/// Raises the invalid-opcode exception, with a way to report it.
pub fn undefined_instruction() {
    // SAFETY: the exception's handler does not come back.
    unsafe { asm!("ud2", options(nomem, nostack)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_off_keeps_the_other_bits() {
        assert_eq!(pm1_sleep(0x0001, 0), 0x2001);
        assert_eq!(pm1_sleep(0x1c01, 5), 0x3401);
        assert_eq!(pm1_sleep(0, 0xff), 0x3c00);
    }

    #[test]
    fn configuration_addresses() {
        assert_eq!(pci_address(0, 0, 0), 0x8000_0000);
        assert_eq!(pci_address(31, 3, 0xcf), 0x8000_fbcc);
    }
}
