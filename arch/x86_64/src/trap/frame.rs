//! What the vectors save.

use core::fmt;

use arch_x86::regs;
use arch_x86::trap::{Frame, WORDS};

/// The interrupted context, in the order `vectors.s` and the CPU push it, lowest address first.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct TrapFrame {
    pub(crate) r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rdi: u64,
    rsi: u64,
    rbp: u64,
    rbx: u64,
    rdx: u64,
    rcx: u64,
    rax: u64,
    vector: u64,
    error: u64,
    pub(crate) rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

// `vectors.s` counts 22 words, and finds rip at the 17th.
const _: () = assert!(size_of::<TrapFrame>() == 22 * 8);
const _: () = assert!(core::mem::offset_of!(TrapFrame, rip) == 17 * 8);

impl Frame for TrapFrame {
    fn vector(&self) -> u8 {
        self.vector as u8
    }

    fn error(&self) -> usize {
        self.error as usize
    }

    fn pc(&self) -> usize {
        self.rip as usize
    }

    fn sp(&self) -> usize {
        self.rsp as usize
    }

    fn fp(&self) -> usize {
        self.rbp as usize
    }

    #[rustfmt::skip]
    #[inline(always)]
    fn words(&self) -> [u64; WORDS] {
        [
            self.rax, self.rbx, self.rcx, self.rdx, self.rsi, self.rdi, self.rbp, self.rsp,
            self.r8, self.r9, self.r10, self.r11, self.r12, self.r13, self.r14, self.r15,
            self.rip, self.rflags, self.cs, self.ss,
        ]
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rax,
            rbx,
            rcx,
            rdx,
            rsi,
            rdi,
            rbp,
            rsp,
            r8,
            r9,
            r10,
            r11,
            r12,
            r13,
            r14,
            r15,
            ..
        } = self;
        let (vector, error, rip, cs, ss, rflags) =
            (self.vector, self.error, self.rip, self.cs, self.ss, self.rflags);
        writeln!(
            f,
            "  vector={vector} error={error:#x} pc={rip:#x} cs={cs:#x} rflags={rflags:#x} ss={ss:#x}"
        )?;
        writeln!(f, "  rax={rax:016x} rbx={rbx:016x} rcx={rcx:016x} rdx={rdx:016x}")?;
        writeln!(f, "  rsi={rsi:016x} rdi={rdi:016x} rbp={rbp:016x} rsp={rsp:016x}")?;
        writeln!(f, "   r8={r8:016x}  r9={r9:016x} r10={r10:016x} r11={r11:016x}")?;
        writeln!(f, "  r12={r12:016x} r13={r13:016x} r14={r14:016x} r15={r15:016x}")?;
        let (cr0, cr2, cr3, cr4) = (regs::cr0(), regs::cr2(), regs::cr3(), regs::cr4());
        write!(f, "  cr0={cr0:08x} cr2={cr2:016x} cr3={cr3:016x} cr4={cr4:08x}")
    }
}
