//! The devices of this machine that the kernels themselves use, as firmware described them.

use arrayvec::ArrayVec;
use spin::Once;

use crate::ioapic::Line;
use crate::pmtimer::PmTimer;
use crate::power::Ends;

/// An IO-APIC: physical address of its registers, global number of its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoApicAt {
    /// Physical address.
    pub address: u64,
    /// Global interrupt number.
    pub first: u32,
}

/// Where an ISA interrupt really goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsaLine {
    /// Global interrupt number.
    pub gsi: u32,
    /// Its electric nature.
    pub line: Line,
}

/// All of it.
#[derive(Debug)]
pub struct Machine {
    /// Physical address of the local APICs' page, as firmware gives it; the CPU knows better.
    pub local_apic: Option<u64>,
    /// Whether some CPU's APIC id only fits x2APIC mode.
    pub needs_x2apic: bool,
    /// The IO-APICs.
    pub io_apics: ArrayVec<IoApicAt, 32>,
    /// The ISA interrupts.
    pub isa: [IsaLine; 16],
    /// The ACPI timer.
    pub pm_timer: Option<PmTimer>,
    /// How to end the machine.
    pub ends: Ends,
}

impl Default for Machine {
    /// A PC without tables: one IO-APIC where all PCs have it, ISA interrupts one to one.
    fn default() -> Self {
        let mut io_apics = ArrayVec::new();
        io_apics.push(IoApicAt {
            address: 0xfec0_0000,
            first: 0,
        });
        Self {
            local_apic: None,
            needs_x2apic: false,
            io_apics,
            isa: core::array::from_fn(|irq| IsaLine {
                gsi: irq as u32,
                line: Line::ISA,
            }),
            pm_timer: None,
            ends: Ends::default(),
        }
    }
}

static MACHINE: Once<Machine> = Once::new();

/// Sets the description, once.
pub fn set(machine: Machine) {
    MACHINE.call_once(|| machine);
}

/// The description, once firmware tables have been read.
pub fn get() -> Option<&'static Machine> {
    MACHINE.get()
}
