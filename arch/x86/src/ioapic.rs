//! The IO-APICs: which CPU and vector a device's interrupt line goes to (Intel 82093AA; ACPI 6.5, 5.2.12.3).

use core::num::NonZeroUsize;

use arrayvec::ArrayVec;

use crate::apic::NotDelivered;

/// How a line says that it wants attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Low level or falling edge, rather than high or rising.
    pub active_low: bool,
    /// Level, rather than edge.
    pub level: bool,
}

impl Line {
    /// What an ISA device does unless ACPI overrides it: edge, active high.
    pub const ISA: Self = Self {
        active_low: false,
        level: false,
    };
}

/// A redirection-table entry: 64 bits, fixed delivery to one physical id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirection(u64);

impl Redirection {
    /// Nothing is delivered.
    pub const MASKED: Self = Self(1 << 16);

    /// `vector` on the CPU `target`. The 8 bits of the destination are all an IO-APIC has without interrupt remapping,
    /// and 255 would be all CPUs.
    pub const fn to(vector: u8, target: u32, line: Line) -> Option<Self> {
        if target >= 0xff {
            return None;
        }
        let bits = vector as u64 | (line.active_low as u64) << 13 | (line.level as u64) << 15;
        Some(Self(bits | (target as u64) << 56))
    }
}

/// Register numbers.
const VERSION: u32 = 1;
const REDIRECTION: u32 = 0x10;

/// One controller, its registers mapped.
#[derive(Debug)]
pub struct IoApic {
    /// Where the index register is mapped; the data register follows at +0x10.
    base: NonZeroUsize,
    /// The global number of the first line.
    first: u32,
    /// Lines.
    count: u32,
}

impl IoApic {
    /// The controller at `base`, whose first line has the global number `first`; every line is masked.
    ///
    /// # Safety
    ///
    /// `base` must be the uncached mapping of an IO-APIC's registers, for ever, and nobody else may use it.
    pub unsafe fn new(base: NonZeroUsize, first: u32) -> Self {
        let mut this = Self {
            base,
            first,
            count: 0,
        };
        this.count = (this.read(VERSION) >> 16 & 0xff) + 1;
        for line in 0..this.count {
            this.set(line, Redirection::MASKED);
        }
        this
    }

    fn read(&self, register: u32) -> u32 {
        let index: *mut u32 = core::ptr::with_exposed_provenance_mut(self.base.get());
        // SAFETY: mapped, and ours (contract of `new`); `&self` of a value behind the table's lock, so the pair of
        // accesses is not torn by another CPU.
        unsafe {
            index.write_volatile(register);
            index.byte_add(0x10).read_volatile()
        }
    }

    fn write(&mut self, register: u32, value: u32) {
        let index: *mut u32 = core::ptr::with_exposed_provenance_mut(self.base.get());
        // SAFETY: as in `read`.
        unsafe {
            index.write_volatile(register);
            index.byte_add(0x10).write_volatile(value);
        }
    }

    /// Writes an entry so that it is never live half-written: masked first, low half last.
    fn set(&mut self, line: u32, entry: Redirection) {
        let low = REDIRECTION + 2 * line;
        self.write(low, Redirection::MASKED.0 as u32);
        self.write(low + 1, (entry.0 >> 32) as u32);
        self.write(low, entry.0 as u32);
    }

    fn holds(&self, line: u32) -> bool {
        line.checked_sub(self.first)
            .is_some_and(|offset| offset < self.count)
    }
}

/// All IO-APICs of the machine.
pub type IoApics = ArrayVec<IoApic, 32>;

/// Sends global interrupt `gsi` to `vector` on the CPU with APIC id `target`.
///
/// # Errors
/// No controller has that line, or the id does not fit the 8 bits of the destination.
pub fn route(apics: &mut IoApics, gsi: u32, vector: u8, target: u32, line: Line) -> Result<(), NotDelivered> {
    let apic = apics
        .iter_mut()
        .find(|apic| apic.holds(gsi))
        .ok_or(NotDelivered)?;
    let entry = Redirection::to(vector, target, line).ok_or(NotDelivered)?;
    apic.set(gsi - apic.first, entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_as_in_the_data_sheet() {
        assert_eq!(Redirection::to(0x34, 0, Line::ISA), Some(Redirection(0x34)));
        let pci = Line {
            active_low: true,
            level: true,
        };
        assert_eq!(
            Redirection::to(0x51, 3, pci),
            Some(Redirection(0x0300_0000_0000_a051))
        );
        assert_eq!(
            Redirection::to(0x51, 254, Line::ISA),
            Some(Redirection(0xfe00_0000_0000_0051))
        );
        assert_eq!(Redirection::to(0x51, 255, pci), None);
        assert_eq!(Redirection::to(0x51, 256, pci), None);
    }

    /// Registers in memory: what was last written to the data register stands there, whatever the index said.
    fn fake(registers: &mut [u32; 8], first: u32) -> IoApic {
        registers[4] = 23 << 16;
        let base =
            NonZeroUsize::new(registers.as_mut_ptr().expose_provenance()).expect("an array has an address");
        // SAFETY: eight words are memory enough for both registers, and outlive the test's use of them.
        unsafe { IoApic::new(base, first) }
    }

    #[test]
    fn lines_are_found_by_their_global_number() {
        let (mut a, mut b) = ([0; 8], [0; 8]);
        let mut apics = IoApics::new();
        apics.push(fake(&mut a, 0));
        apics.push(fake(&mut b, 24));
        assert_eq!(route(&mut apics, 47, 0x40, 1, Line::ISA), Ok(()));
        assert_eq!(
            (b[0], b[4]),
            (REDIRECTION + 2 * 23, 0x40),
            "the low half goes last"
        );
        assert_eq!(a[4], 1 << 16, "the other controller's last line is still masked");
        assert_eq!(route(&mut apics, 48, 0x40, 1, Line::ISA), Err(NotDelivered));
        assert_eq!(route(&mut apics, 4, 0x40, 0x100, Line::ISA), Err(NotDelivered));
    }
}
