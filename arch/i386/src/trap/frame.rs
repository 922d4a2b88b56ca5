//! What the vectors save.

use core::fmt;

use arch_x86::desc::TaskState;
use arch_x86::regs;
use arch_x86::trap::{Frame, WORDS};

use crate::tables::DATA;

/// The interrupted context, in the order `vectors.s` and the CPU push it, lowest address first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct TrapFrame {
    edi: u32,
    esi: u32,
    ebp: u32,
    /// Where the stack was before `pushal`; of no use.
    _esp: u32,
    ebx: u32,
    edx: u32,
    ecx: u32,
    eax: u32,
    vector: u32,
    error: u32,
    eip: u32,
    cs: u32,
    eflags: u32,
}

// `vectors.s` finds eip at the tenth word.
const _: () = assert!(core::mem::offset_of!(TrapFrame, eip) == 10 * 4);

impl TrapFrame {
    /// Without a change of privilege the CPU saves no stack pointer: the frame lies where the stack went on.
    fn esp(&self) -> usize {
        core::ptr::from_ref(self).addr() + size_of::<Self>()
    }
}

impl Frame for TrapFrame {
    fn vector(&self) -> u8 {
        self.vector as u8
    }

    fn error(&self) -> usize {
        self.error as usize
    }

    fn pc(&self) -> usize {
        self.eip as usize
    }

    fn sp(&self) -> usize {
        self.esp()
    }

    fn fp(&self) -> usize {
        self.ebp as usize
    }

    #[rustfmt::skip]
    #[inline(always)]
    fn words(&self) -> [u64; WORDS] {
        let words = [
            self.eax, self.ebx, self.ecx, self.edx, self.esi, self.edi, self.ebp, self.esp() as u32,
            self.eip, self.eflags, self.cs, u32::from(DATA),
        ];
        words.map(u64::from)
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            edi,
            esi,
            ebp,
            ebx,
            edx,
            ecx,
            eax,
            vector,
            error,
            eip,
            cs,
            eflags,
            ..
        } = self;
        writeln!(
            f,
            "  vector={vector} error={error:#x} pc={eip:#x} cs={cs:#x} eflags={eflags:#x}"
        )?;
        writeln!(f, "  eax={eax:08x} ebx={ebx:08x} ecx={ecx:08x} edx={edx:08x}")?;
        writeln!(
            f,
            "  esi={esi:08x} edi={edi:08x} ebp={ebp:08x} esp={:08x}",
            self.esp()
        )?;
        control_registers(f)
    }
}

/// What an exception task knows of the context it interrupted: the state the CPU saved when it switched tasks.
pub(crate) struct TaskFrame {
    pub(crate) state: TaskState,
    pub(crate) vector: u8,
}

impl Frame for TaskFrame {
    fn vector(&self) -> u8 {
        self.vector
    }

    fn error(&self) -> usize {
        0
    }

    fn pc(&self) -> usize {
        self.state.eip as usize
    }

    fn sp(&self) -> usize {
        self.state.esp as usize
    }

    fn fp(&self) -> usize {
        self.state.ebp as usize
    }

    #[rustfmt::skip]
    #[inline(always)]
    fn words(&self) -> [u64; WORDS] {
        let s = &self.state;
        let words = [
            s.eax, s.ebx, s.ecx, s.edx, s.esi, s.edi, s.ebp, s.esp,
            s.eip, s.eflags, s.cs, s.ss,
        ];
        words.map(u64::from)
    }
}

impl fmt::Display for TaskFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TaskState {
            eip,
            eflags,
            eax,
            ecx,
            edx,
            ebx,
            esp,
            ebp,
            esi,
            edi,
            cs,
            ss,
            ds,
            fs,
            gs,
            ..
        } = self.state;
        writeln!(
            f,
            "  vector={} error=0 pc={eip:#x} cs={cs:#x} eflags={eflags:#x} (saved by a task switch)",
            self.vector
        )?;
        writeln!(f, "  eax={eax:08x} ebx={ebx:08x} ecx={ecx:08x} edx={edx:08x}")?;
        writeln!(f, "  esi={esi:08x} edi={edi:08x} ebp={ebp:08x} esp={esp:08x}")?;
        writeln!(f, "  ss={ss:#x} ds={ds:#x} fs={fs:#x} gs={gs:#x}")?;
        control_registers(f)
    }
}

fn control_registers(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (cr0, cr2, cr3, cr4) = (regs::cr0(), regs::cr2(), regs::cr3(), regs::cr4());
    write!(f, "  cr0={cr0:08x} cr2={cr2:08x} cr3={cr3:08x} cr4={cr4:08x}")
}
