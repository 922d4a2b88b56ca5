//! What an exception leaves on the stack.

use core::fmt;

/// Registers at the moment of an exception, as the vectors store them.
#[repr(C, align(16))]
#[derive(Debug)]
pub struct Frame {
    /// x0 to x30; x29 is the frame pointer, x30 the return address.
    pub x: [u64; 31],
    /// SP before the frame was made.
    pub sp: u64,
    /// ELR_EL1: where to continue.
    pub pc: u64,
    /// SPSR_EL1.
    pub pstate: u64,
    /// (x29, ELR_EL1): links a backtrace over the exception.
    pub record: [u64; 2],
    /// ESR_EL1; not written for interrupts.
    pub esr: u64,
    /// FAR_EL1; not written for interrupts.
    pub far: u64,
}

const _: () = assert!(size_of::<Frame>().is_multiple_of(16));

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pc={:#018x} sp={:#018x} pstate={:#x}",
            self.pc, self.sp, self.pstate
        )?;
        writeln!(
            f,
            "esr={:#x} far={:#018x} lr={:#018x}",
            self.esr, self.far, self.x[30]
        )?;
        for (i, value) in self.x.iter().enumerate().take(30) {
            write!(f, "x{i:<2} {value:016x}{}", if i % 4 == 3 { "\n" } else { "  " })?;
        }
        writeln!(f)
    }
}
