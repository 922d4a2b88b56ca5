//! The serial console: a 16550 behind I/O ports, polled, with no lock and no state but "is there one".
//!
//! Exclusion is the console's business. A dying kernel writes past a lock holder, and the worst that brings is mixed
//! text: the device has no multi-step protocol once it is set up.

use core::sync::atomic::{AtomicU32, Ordering};

use uart_16550::backend::Backend;
use uart_16550::spec::registers::{IER, LSR};
use uart_16550::{BaudRate, Config, Uart16550};

use crate::io::{inb, outb};

/// The first serial port of a PC.
pub const COM1: u16 = 0x3f8;
/// The serial ports of a PC and their ISA interrupts.
const PORTS: [(u16, u8); 4] = [(COM1, 4), (0x2f8, 3), (0x3e8, 4), (0x2e8, 3)];

const FIFO: usize = 16;
const LINE_STATUS: u8 = 5;

/// Polls of the line status without progress after which the transmitter is taken to be stuck: at 9600 baud a full FIFO
/// drains in 17 ms, and a poll takes half a microsecond or more.
const PATIENCE: u32 = 200_000;

/// The port in use in the lower half, and [`HAS_FIFO`]; 0 while there is none.
static PORT: AtomicU32 = AtomicU32::new(0);
const HAS_FIFO: u32 = 1 << 16;

/// Port access for the driver, which waits for the transmitter without end when it starts: after [`PATIENCE`] polls in
/// a row the transmitter is reported empty, whatever it says.
#[derive(Debug)]
struct Ports {
    base: u16,
    polls: u32,
}

impl Backend for Ports {
    unsafe fn read(&mut self, register: u8) -> u8 {
        // SAFETY: the ports are those of the console, and ours.
        let value = unsafe { inb(self.base + u16::from(register)) };
        if register != LINE_STATUS {
            self.polls = 0;
            return value;
        }
        self.polls += 1;
        if self.polls < PATIENCE {
            value
        } else {
            value | LSR::TRANSMITTER_EMPTY.bits() | LSR::THR_EMPTY.bits()
        }
    }

    unsafe fn write(&mut self, register: u8, value: u8) {
        self.polls = 0;
        // SAFETY: as in `read`.
        unsafe { outb(self.base + u16::from(register), value) };
    }
}

fn driver(base: u16) -> Uart16550<Ports> {
    // SAFETY: callers name serial ports only.
    unsafe { Uart16550::new_with_backend(Ports { base, polls: 0 }) }
}

/// Sets the port at `base` up (115200 8n1) and makes it the console.
///
/// # Errors
/// Nothing answers there.
pub fn init(base: u16) -> Result<(), &'static str> {
    let config = Config {
        baud_rate: BaudRate::Baud115200,
        ..Config::DEFAULT
    };
    let mut uart = driver(base);
    uart.init(config).map_err(|_| "no serial port answers there")?;
    let fifo = if uart.isr().fifo_enabled() { HAS_FIFO } else { 0 };
    PORT.store(u32::from(base) | fifo, Ordering::Release);
    Ok(())
}

/// Makes the first serial port the console, if there is one; without one the log ring keeps the text.
pub fn init_default() {
    let _none = init(COM1);
}

/// The console's base port.
pub fn port() -> Option<u16> {
    let raw = PORT.load(Ordering::Acquire);
    (raw != 0).then_some(raw as u16)
}

/// The console's ISA interrupt.
pub fn irq() -> Option<u8> {
    let port = port()?;
    PORTS.iter().find(|(base, _)| *base == port).map(|(_, irq)| *irq)
}

/// `earlycon=VALUE`: empty for the first serial port, `uart,io,0xPORT` or `uart8250,io,0xPORT` with anything behind a
/// comma, as in Linux, or `ttyS0` to `ttyS3`.
///
/// # Errors
/// A sentence when the value is none of these or no port answers.
pub fn earlycon(value: &str) -> Result<(), &'static str> {
    init(parse_earlycon(value).ok_or("expected nothing, uart,io,0xPORT or ttyS0 to ttyS3")?)
}

fn parse_earlycon(value: &str) -> Option<u16> {
    let mut parts = value.split(',');
    match (parts.next()?, parts.next(), parts.next()) {
        ("", None, None) => Some(COM1),
        ("uart" | "uart8250", Some("io"), Some(port)) => {
            let base = u16::from_str_radix(port.strip_prefix("0x")?, 16).ok()?;
            (base != 0 && base.is_multiple_of(8)).then_some(base)
        }
        (name, ..) => {
            let index: usize = name.strip_prefix("ttyS")?.parse().ok()?;
            PORTS.get(index).map(|(base, _)| *base)
        }
    }
}

/// Writes all of `bytes`, or gives up when the transmitter is stuck. False while there is no console.
pub fn write(bytes: &[u8]) -> bool {
    let raw = PORT.load(Ordering::Acquire);
    if raw == 0 {
        return false;
    }
    let mut uart = driver(raw as u16);
    // The driver believes in a FIFO until told otherwise; a byte at a time is right without one.
    let step = if raw & HAS_FIFO != 0 { FIFO } else { 1 };
    for chunk in bytes.chunks(step) {
        if !(0..PATIENCE).any(|_| uart.send_bytes(chunk) == chunk.len()) {
            break;
        }
    }
    true
}

/// One received byte, if there is one.
pub fn read() -> Option<u8> {
    driver(port()?).try_receive_byte().ok()
}

/// Lets the port interrupt for received data.
pub fn enable_rx_interrupt() {
    if let Some(port) = port() {
        driver(port).enable_interrupts(IER::DATA_READY);
    }
}

#[cfg(test)]
mod tests {
    use super::parse_earlycon;

    #[test]
    fn earlycon_values() {
        assert_eq!(parse_earlycon(""), Some(0x3f8));
        assert_eq!(parse_earlycon("uart,io,0x2f8"), Some(0x2f8));
        assert_eq!(parse_earlycon("uart8250,io,0x3f8,115200n8"), Some(0x3f8));
        assert_eq!(parse_earlycon("ttyS1,115200"), Some(0x2f8));
        for wrong in [
            "uart",
            "uart,mmio,0x3f8",
            "uart,io,0x3f9",
            "uart,io,0x0",
            "uart,io,2f8",
            "ttyS4",
            "ttyS",
            "x",
            ",",
        ] {
            assert_eq!(parse_earlycon(wrong), None, "{wrong}");
        }
    }
}
