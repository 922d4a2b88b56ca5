//! The interrupt command register as a value (SDM Vol. 3A, 11.6.1 and, for x2APIC, 11.12.9).

/// What an inter-processor interrupt makes its target do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Take the interrupt of this vector when interrupts are unmasked.
    Fixed(u8),
    /// Take a non-maskable interrupt.
    Nmi,
    /// Stop and wait for a start-up interrupt.
    Init,
    /// Leave the wait after INIT and begin in real mode at `page << 12`.
    Startup(u8),
}

const DELIVERY_NMI: u32 = 0b100 << 8;
const DELIVERY_INIT: u32 = 0b101 << 8;
const DELIVERY_STARTUP: u32 = 0b110 << 8;
/// Level "assert"; clear only for the INIT level de-assert of the 82489DX, which no supported CPU wants.
const ASSERT: u32 = 1 << 14;

/// Delivery status of the xAPIC: the last command has not been accepted yet. Always clear in x2APIC mode.
pub const PENDING: u32 = 1 << 12;

/// Destination shorthand: all but the sender, whatever the destination field says. For fixed interrupts only: it reaches
/// CPUs that are not the kernel's, too, and an NMI sent to a CPU that waits for its start-up interrupt stays latched until
/// it runs on the firmware's vectors.
#[cfg(feature = "smp")]
pub const OTHERS: u32 = 0b11 << 18;

/// The highest APIC id that the 8-bit destination of the xAPIC can name; 255 is broadcast.
pub const XAPIC_MAX_ID: u32 = 254;

impl Delivery {
    /// The low half of the register: edge triggered, physical destination, no shorthand.
    pub const fn low(self) -> u32 {
        match self {
            Self::Fixed(vector) => ASSERT | vector as u32,
            Self::Nmi => ASSERT | DELIVERY_NMI,
            Self::Init => ASSERT | DELIVERY_INIT,
            Self::Startup(page) => ASSERT | DELIVERY_STARTUP | page as u32,
        }
    }

    /// The xAPIC's two halves (high, low), or `None` when the id does not fit its 8 bits.
    pub const fn xapic(self, target: u32) -> Option<(u32, u32)> {
        if target > XAPIC_MAX_ID {
            None
        } else {
            Some((target << 24, self.low()))
        }
    }

    /// The halves (high, low) of the x2APIC's one register; every id fits except the broadcast id.
    pub const fn x2apic(self, target: u32) -> Option<(u32, u32)> {
        if target == u32::MAX {
            None
        } else {
            Some((target, self.low()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_match_the_values_used_everywhere() {
        // The well-known constants of every start-up sequence: 0x4500 INIT, 0x46vv SIPI, 0x4400 NMI.
        assert_eq!(Delivery::Init.low(), 0x4500);
        assert_eq!(Delivery::Startup(0x08).low(), 0x4608);
        assert_eq!(Delivery::Nmi.low(), 0x4400);
        assert_eq!(Delivery::Fixed(0xfd).low(), 0x40fd);
    }

    #[test]
    fn xapic_names_ids_up_to_254_and_never_the_broadcast() {
        assert_eq!(Delivery::Nmi.xapic(0), Some((0, 0x4400)));
        assert_eq!(Delivery::Nmi.xapic(254), Some((0xfe00_0000, 0x4400)));
        assert_eq!(Delivery::Nmi.xapic(255), None);
        assert_eq!(Delivery::Nmi.xapic(256), None);
    }

    #[test]
    fn x2apic_takes_32_bit_ids() {
        assert_eq!(
            Delivery::Fixed(0x30).x2apic(0x1_0000),
            Some((0x0001_0000, 0x4030))
        );
        assert_eq!(Delivery::Init.x2apic(u32::MAX), None);
    }
}
