//! The serial console: one PL011, wherever it turns out to be.

mod pl011;

use core::ptr;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use boot_info::fdt::Interrupt;
use boot_info::{Console, ConsoleKind};
use kernel::arch::ConsoleOps;
use spin::Once;

use self::pl011::Pl011;
use crate::mmu::fixmap;
use crate::{Aarch64, devicetree, gic};

/// Address of the registers in use, zero while there are none. One word, because the panic path reads it from any CPU
/// in any state.
static UART: AtomicUsize = AtomicUsize::new(0);

/// Where QEMU's `virt` machine has its PL011.
const VIRT_UART: u64 = 0x0900_0000;

/// Physical address of the registers in use.
static UART_PA: AtomicU64 = AtomicU64::new(0);

/// The UART in use.
fn uart() -> Option<&'static Pl011> {
    // SAFETY: the word is zero or the address at which a PL011 is mapped for good; all accesses are volatile and
    // through shared references.
    unsafe { ptr::with_exposed_provenance::<Pl011>(UART.load(Ordering::Acquire)).as_ref() }
}

/// Makes the PL011 at physical address `pa` the console.
fn use_pl011(pa: u64) {
    UART_PA.store(pa, Ordering::Relaxed);
    UART.store(fixmap::map_uart(pa), Ordering::Release);
    if let Some(uart) = uart() {
        uart.enable();
    }
}

/// Whether there is RAM at `pa`, by the device tree or an EFI behind it: then no registers are.
fn is_ram(pa: u64) -> bool {
    devicetree::boot().memory.is_ram(&(pa..pa.saturating_add(1)))
}

/// The console the device tree's `stdout-path` names, from the first line on, if it is a PL011.
pub fn from_device_tree() {
    match devicetree::boot().console {
        Some(Console {
            kind: ConsoleKind::Pl011,
            base,
            ..
        }) if !is_ram(base) => use_pl011(base),
        _ => {}
    }
}

/// Says why the console that the device tree names is not used, for whoever finds another one.
pub fn report() {
    if let Some(pa) = devicetree::boot()
        .console
        .map(|at| at.base)
        .filter(|&pa| is_ram(pa))
    {
        kernel::warning!(
            "console: firmware says that its registers are at {pa:#x}, which is RAM; they are not touched"
        );
    }
}

/// The console that ACPI names, once the final tables are on, if there is none yet.
pub fn from_acpi(pa: u64) {
    if uart().is_some() {
        return;
    }
    if let Ok(at) = kernel::mm::ioremap::<Aarch64>("console", pa, size_of::<Pl011>()) {
        UART_PA.store(pa, Ordering::Relaxed);
        UART.store(at.expose_provenance(), Ordering::Release);
        uart().into_iter().for_each(Pl011::enable);
    }
}

/// Makes the PL011 at `pa` the console, if there is one.
fn try_pl011(pa: u64) -> bool {
    let before = UART_PA.load(Ordering::Relaxed);
    let there = Pl011::is_at(fixmap::map_uart(pa));
    match there {
        true => use_pl011(pa),
        // The slot is the one the console so far is mapped in.
        false => drop(fixmap::map_uart(before)),
    }
    there
}

/// For a kernel that dies and knows of no console: there is one machine whose UART is worth a guess. Once the final
/// tables are on, the guess is no longer mapped and finds nothing.
pub fn last_resort() {
    if uart().is_none() {
        try_pl011(VIRT_UART);
    }
}

/// `earlycon`: what `stdout-path` says, which is used in any case. `earlycon=pl011,ADDRESS`: that one instead.
fn earlycon(value: &str) -> Result<(), &'static str> {
    if value.is_empty() {
        return uart().map(drop).ok_or("stdout-path names no PL011");
    }
    let address = value
        .strip_prefix("pl011,")
        .ok_or("the only early console here is pl011,ADDRESS")?;
    let digits = address
        .split(',')
        .next()
        .unwrap_or("")
        .strip_prefix("0x")
        .ok_or("the address begins with 0x")?;
    match u64::from_str_radix(digits, 16) {
        Ok(pa) if !pa.is_multiple_of(4096) || pa >> 48 != 0 => Err("not the address of a page"),
        Ok(pa) if is_ram(pa) => Err("there is RAM at that address"),
        Ok(pa) if try_pl011(pa) => Ok(()),
        Ok(_) => Err("there is no PL011 at that address"),
        Err(_) => Err("not a number"),
    }
}

/// Where the registers are mapped, and their physical address: whole pages, both.
pub fn registers() -> Option<(usize, u64)> {
    uart()?;
    Some((
        UART.load(Ordering::Relaxed) & !0xfff,
        UART_PA.load(Ordering::Relaxed) & !0xfff,
    ))
}

/// The number of the console's interrupt, if it has one.
#[cfg(feature = "smp")]
pub fn intid() -> Option<u32> {
    interrupt().map(|irq| irq.intid)
}

/// Whether `intid` is the console's.
pub fn is_interrupt(intid: u32) -> bool {
    interrupt().is_some_and(|irq| irq.intid == intid)
}

/// The console's interrupt, if the UART in use is the one the device tree describes.
fn interrupt() -> Option<Interrupt> {
    let described = devicetree::info().uart?;
    (described.console.base == UART_PA.load(Ordering::Relaxed)).then_some(described.interrupt)?
}

/// The receive interrupt: the monitor reads what there is.
pub fn rx_interrupt() {
    if let Some(uart) = uart() {
        uart.ack_rx_interrupt();
    }
    kernel::input_ready::<Aarch64>();
}

impl ConsoleOps for Aarch64 {
    fn console_write(bytes: &[u8]) -> bool {
        // A transmitter that is stuck is given up for these bytes, not for ever.
        uart()
            .map(|uart| bytes.iter().all(|&byte| uart.send(byte)))
            .is_some()
    }

    fn console_read() -> Option<u8> {
        uart()?.receive()
    }

    /// The command line is read twice, and only the first time comes before the final tables: that one counts.
    fn earlycon(value: &str) -> Result<(), &'static str> {
        static OUTCOME: Once<Result<(), &'static str>> = Once::new();
        *OUTCOME.call_once(|| earlycon(value))
    }

    fn enable_rx_interrupt() -> Result<(), &'static str> {
        let uart = uart().ok_or("there is no console")?;
        let irq = interrupt().ok_or("the console's interrupt is not in the device tree")?;
        gic::enable_shared(irq.intid, irq.edge)?;
        uart.enable_rx_interrupt();
        Ok(())
    }
}
