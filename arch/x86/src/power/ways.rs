//! The ways to reset a PC and to turn it off.

use kernel::arch::{Go, Way, perhaps};

use super::{PATIENCE, Register, Sleep, triple_fault, wait};
use crate::cpu::{self, Features};
use crate::io::{delay_1us, inb, outb, outw};
use crate::machine;

/// By the register the fixed ACPI table names.
pub const ACPI: Way = Way {
    name: "acpi",
    is_there: || reset().is_some(),
    go: Go::Direct(reset_register),
};
/// By the keyboard controller, as on an AT.
pub const KEYBOARD: Way = Way {
    name: "kbd",
    is_there: perhaps,
    go: Go::Direct(reset_keyboard_controller),
};
/// By the chipset's reset control register.
pub const CHIPSET: Way = Way {
    name: "pci",
    is_there: perhaps,
    go: Go::Direct(reset_chipset),
};
/// By an exception with no way to report it.
pub const TRIPLE_FAULT: Way = Way {
    name: "triple",
    is_there: perhaps,
    go: Go::Direct(triple_fault),
};
/// To soft-off, by the registers of ACPI.
pub const SOFT_OFF: Way = Way {
    name: "acpi",
    is_there: || sleep().is_some(),
    go: Go::Direct(soft_off),
};
/// By what emulators take for soft-off.
pub const EMULATOR_OFF: Way = Way {
    name: "emulator",
    is_there: is_guest,
    go: Go::Direct(emulator_off),
};

fn reset() -> Option<(Register, u8)> {
    machine::get()?.ends.reset
}

fn sleep() -> Option<Sleep> {
    machine::get()?.ends.sleep
}

fn reset_register() {
    if let Some((register, value)) = reset() {
        // SAFETY: the kernel calls this last.
        unsafe { register.write_u8(value) };
        wait();
    }
}

fn soft_off() {
    if let Some(sleep) = sleep() {
        // SAFETY: the kernel calls this last.
        unsafe { sleep.enter() };
        wait();
    }
}

/// Where emulators listen for S5 with sleep type 0 when no table says so: QEMU, Bochs and old QEMU, VirtualBox.
const EMULATORS: [(u16, u16); 3] = [(0x604, 0x2000), (0xb004, 0x2000), (0x4004, 0x3400)];

fn is_guest() -> bool {
    cpu::has(Features::HYPERVISOR)
}

fn emulator_off() {
    if is_guest() {
        for (port, value) in EMULATORS {
            // SAFETY: under a hypervisor these ports are a power switch or nothing.
            unsafe { outw(port, value) };
        }
        wait();
    }
}

/// The reset control register of Intel's chipsets since the PIIX: arm a hard reset, then pull it.
fn reset_chipset() {
    const CONTROL: u16 = 0xcf9;
    // SAFETY: the kernel calls this last; chipsets without the register ignore the byte.
    unsafe {
        let keep = inb(CONTROL) & !0b110;
        outb(CONTROL, keep | 0b010);
        delay_1us();
        outb(CONTROL, keep | 0b110);
    }
    wait();
}

/// The 8042's output pin 0 is the CPU's reset line.
fn reset_keyboard_controller() {
    const COMMAND: u16 = 0x64;
    const INPUT_FULL: u8 = 1 << 1;
    const PULSE_RESET: u8 = 0xfe;
    // SAFETY: the kernel calls this last; the wait for the controller is bounded.
    unsafe {
        for _ in 0..PATIENCE {
            if inb(COMMAND) & INPUT_FULL == 0 {
                break;
            }
            delay_1us();
        }
        outb(COMMAND, PULSE_RESET);
    }
    wait();
}
