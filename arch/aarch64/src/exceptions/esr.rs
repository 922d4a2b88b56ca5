//! ESR_EL1 in words (Arm ARM D17.2.37).

use core::fmt;

/// A value of ESR_EL1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Esr(pub u64);

impl Esr {
    /// EC, the class.
    pub const fn class(self) -> u8 {
        (self.0 >> 26) as u8 & 0x3f
    }

    /// ISS, the details.
    pub const fn iss(self) -> u32 {
        self.0 as u32 & 0x1ff_ffff
    }

    /// The class in words.
    pub const fn name(self) -> &'static str {
        match self.class() {
            0x00 => "undefined instruction",
            0x01 => "trapped WFI or WFE",
            0x07 => "FP or SIMD access",
            0x0d => "branch target check",
            0x0e => "illegal execution state",
            0x15 => "SVC",
            0x16 => "HVC",
            0x17 => "SMC",
            0x18 => "trapped system register access",
            0x19 => "SVE access",
            0x1c => "pointer authentication failure",
            0x20 | 0x21 => "instruction abort",
            0x22 => "misaligned PC",
            0x24 | 0x25 => "data abort",
            0x26 => "misaligned SP",
            0x2f => "SError",
            0x30..=0x35 => "debug event",
            0x3c => "BRK instruction",
            _ => "unknown exception",
        }
    }

    /// Whether FAR_EL1 holds the address that was accessed.
    pub const fn has_address(self) -> bool {
        const FNV: u32 = 1 << 10;
        matches!(self.class(), 0x20..=0x22 | 0x24 | 0x25) && self.iss() & FNV == 0
    }

    /// Whether it was a write; for data aborts.
    pub const fn is_write(self) -> bool {
        self.iss() & (1 << 6) != 0
    }

    /// Why an abort was taken, and at which level of the tables.
    pub const fn fault(self) -> &'static str {
        match self.iss() & 0x3f {
            0x00..=0x03 => "address size fault",
            0x04..=0x07 => "not mapped",
            0x09..=0x0b => "access flag fault",
            0x0d..=0x0f => "no permission",
            0x10 => "external abort",
            0x14..=0x17 => "external abort on table walk",
            0x21 => "misaligned",
            _ => "other fault",
        }
    }
}

impl fmt::Display for Esr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.class() {
            0x20 | 0x21 => write!(f, ": {}", self.fault()),
            0x24 | 0x25 => {
                let what = if self.is_write() { "write" } else { "read" };
                write!(f, " on {what}: {}", self.fault())
            }
            _ => Ok(()),
        }
    }
}
