//! The PL011 UART (Arm DDI 0183), as much of it as a console needs.
//!
//! The crate `arm-pl011-uart` owns its register block exclusively, and every one of its writes takes `&mut`. A console
//! that any CPU writes to while it dies can promise neither, and a lock is just what it must not take. So the
//! registers are described here in tock-registers' terms, where a shared reference may write: each access is one
//! 32-bit volatile load or store, and the worst that two CPUs at once do is mix their characters.

use tock_registers::interfaces::{ReadWriteable, Readable, Writeable};
use tock_registers::registers::{ReadOnly, ReadWrite, WriteOnly};
use tock_registers::{register_bitfields, register_structs};

use crate::exceptions::probe;

register_bitfields! {u32,
    FR [ RXFE OFFSET(4) NUMBITS(1) [], TXFF OFFSET(5) NUMBITS(1) [], BUSY OFFSET(3) NUMBITS(1) [] ],
    LCR_H [ FEN OFFSET(4) NUMBITS(1) [], WLEN OFFSET(5) NUMBITS(2) [ Eight = 3 ] ],
    CR [ UARTEN OFFSET(0) NUMBITS(1) [], TXE OFFSET(8) NUMBITS(1) [], RXE OFFSET(9) NUMBITS(1) [] ],
    INT [ RX OFFSET(4) NUMBITS(1) [], RT OFFSET(6) NUMBITS(1) [], ALL OFFSET(0) NUMBITS(11) [] ],
}

register_structs! {
    /// The register block.
    pub Pl011 {
        (0x000 => dr: ReadWrite<u32>),
        (0x004 => _reserved0),
        (0x018 => fr: ReadOnly<u32, FR::Register>),
        (0x01c => _reserved1),
        (0x02c => lcr_h: ReadWrite<u32, LCR_H::Register>),
        (0x030 => cr: ReadWrite<u32, CR::Register>),
        (0x034 => _reserved2),
        (0x038 => imsc: ReadWrite<u32, INT::Register>),
        (0x03c => _reserved3),
        (0x044 => icr: WriteOnly<u32, INT::Register>),
        (0x048 => @END),
    }
}

/// Polls of the flag register before a full transmitter is given up: many character times at 9600 baud, however fast
/// the CPU, because each poll is a device read.
const POLLS: u32 = 1_000_000;

impl Pl011 {
    /// Whether there is one at `at`, by the identification registers: part 0x011, PrimeCell 0xb105f00d. Asks so that
    /// nothing at all may be there.
    pub fn is_at(at: usize) -> bool {
        // SAFETY: reading the last words of a page of device registers has no side effect on any PrimeCell, and on what
        // is none the person who named the address decides.
        let byte = |offset| unsafe { probe::read(at + offset) }.map(|word| word & 0xff);
        let cell = [0xff0, 0xff4, 0xff8, 0xffc].map(byte) == [0x0d, 0xf0, 0x05, 0xb1].map(Some);
        cell && byte(0xfe0) == Some(0x11) && byte(0xfe4).is_some_and(|b| b & 0xf == 0)
    }

    /// Makes it talk if firmware has not: 8 bits, FIFOs. The baud rate is firmware's business either way, because the
    /// device tree need not say how fast UARTCLK is.
    pub fn enable(&self) {
        self.imsc.set(0);
        if !self.cr.is_set(CR::UARTEN) {
            self.lcr_h.write(LCR_H::WLEN::Eight + LCR_H::FEN::SET);
            self.cr.write(CR::UARTEN::SET + CR::TXE::SET + CR::RXE::SET);
        }
    }

    /// Sends one byte; false if the transmitter stayed full.
    pub fn send(&self, byte: u8) -> bool {
        if !(0..POLLS).any(|_| !self.fr.is_set(FR::TXFF)) {
            return false;
        }
        self.dr.set(u32::from(byte));
        true
    }

    /// One received byte, if there is one. A byte received with an error flag is delivered as it is: the monitor shows
    /// it, and the person types again.
    pub fn receive(&self) -> Option<u8> {
        (!self.fr.is_set(FR::RXFE)).then(|| self.dr.get() as u8)
    }

    /// Interrupts when the receive FIFO fills and when it has held something for a while.
    pub fn enable_rx_interrupt(&self) {
        self.icr.write(INT::ALL.val(0x7ff));
        self.imsc.modify(INT::RX::SET + INT::RT::SET);
    }

    /// Clears what the receive interrupt latched.
    pub fn ack_rx_interrupt(&self) {
        self.icr.write(INT::RX::SET + INT::RT::SET);
    }
}
