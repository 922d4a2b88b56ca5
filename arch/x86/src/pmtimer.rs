//! The ACPI power-management timer: a free-running counter at a fixed rate (ACPI 6.5, 4.8.3.3).

use core::num::NonZeroUsize;

use crate::io::inl;
use crate::reference::Reference;

/// Where the counter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// An I/O port.
    Port(u16),
    /// A mapped, uncached, 4-byte aligned word.
    Memory(NonZeroUsize),
}

/// The timer.
#[derive(Clone, Copy, Debug)]
pub struct PmTimer {
    location: Location,
    /// 24 bits or 32.
    mask: u32,
}

impl PmTimer {
    /// The timer at `location`; `wide` if 32 bits count (FADT flag `TMR_VAL_EXT`).
    ///
    /// # Safety
    ///
    /// The location must be that of the timer, for ever.
    pub const unsafe fn new(location: Location, wide: bool) -> Self {
        Self {
            location,
            mask: if wide { u32::MAX } else { 0xff_ffff },
        }
    }
}

impl Reference for PmTimer {
    const HZ: u64 = 3_579_545;

    fn mask(&self) -> u32 {
        self.mask
    }

    fn read(&self) -> u32 {
        let raw = match self.location {
            // SAFETY: reading the timer has no effect (contract of `new`).
            Location::Port(port) => unsafe { inl(port) },
            Location::Memory(at) => {
                // SAFETY: as above.
                unsafe { core::ptr::with_exposed_provenance::<u32>(at.get()).read_volatile() }
            }
        };
        raw & self.mask
    }
}
