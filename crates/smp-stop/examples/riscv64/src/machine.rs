//! The hooks: what QEMU's `virt` machine does for a stop.

use core::arch::{asm, global_asm};

use smp_stop::smp::{Bound, Rung, SignalError, SmpStopOps, Targets};
use smp_stop::{CpuId, Registers, RungKind, StopOps};

global_asm!(include_str!("entry.s"));

unsafe extern "C" {
    /// Waits for ever; interrupts off.
    safe fn park() -> !;
}

/// CPUs there is a stack for.
pub const CPUS: usize = 4;

const CLINT: usize = 0x200_0000;
const MTIMECMP: usize = CLINT + 0x4000;
const MTIME: usize = CLINT + 0xbff8;
/// Nanoseconds between two ticks of QEMU's 10 MHz.
const TICK_NS: u64 = 100;
/// Where QEMU takes an exit code.
const FINISHER: usize = 0x10_0000;
/// Where the caller of QEMU says which story to play.
const STORY: usize = 0x8040_0000;
/// The number of the instruction set in ELF files.
const EM_RISCV: u16 = 243;

fn read<T: Copy>(at: usize) -> T {
    // SAFETY: `at` is one of the registers and words above, which are there on this machine and are read without effect.
    unsafe { core::ptr::with_exposed_provenance::<T>(at).read_volatile() }
}

fn write<T>(at: usize, value: T) {
    // SAFETY: `at` is one of the devices' registers above: no memory of Rust's.
    unsafe { core::ptr::with_exposed_provenance_mut::<T>(at).write_volatile(value) }
}

macro_rules! csr {
    ($name:literal) => {{
        let value: usize;
        // SAFETY: reads a register that every CPU has in machine mode.
        unsafe { asm!(concat!("csrr {}, ", $name), out(reg) value, options(nomem, nostack)) };
        value
    }};
}

/// What a trap saves: the program counter, then x1 to x31.
#[repr(C)]
pub struct Frame {
    pc: u64,
    x: [u64; 31],
}

impl Frame {
    pub fn pc(&self) -> u64 {
        self.pc
    }
}

pub fn story() -> u32 {
    read(STORY)
}

pub fn interrupt(n: usize) {
    write(CLINT + 4 * n, 1_u32);
}

pub fn end_of_interrupt() {
    write(CLINT + 4 * csr!("mhartid"), 0_u32);
}

pub fn is_software_interrupt() -> bool {
    csr!("mcause") == 1 << 63 | 3
}

pub fn cause() -> usize {
    csr!("mcause")
}

pub fn unmask_interrupts() {
    // SAFETY: the vectors are in place, and the only interrupt that is enabled is the one `trap` handles.
    unsafe { asm!("csrw mie, {}", "csrsi mstatus, 8", in(reg) 8) }
}

pub fn illegal_instruction() -> ! {
    // SAFETY: an instruction that is none: `trap` is told, and does not come back.
    unsafe { asm!("unimp", options(noreturn)) }
}

/// Ends QEMU, where this is QEMU.
pub fn exit(code: u32) {
    write(FINISHER, if code == 0 { 0x5555 } else { code << 16 | 0x3333 });
}

/// The executing CPU, and what it was interrupted in if this is a handler: made anew wherever the engine is entered.
pub struct Cpu<'a> {
    frame: Option<&'a Frame>,
}

impl<'a> Cpu<'a> {
    pub fn here(frame: Option<&'a Frame>) -> Self {
        Self { frame }
    }
}

impl StopOps for Cpu<'_> {
    fn mask_interrupts(&self) {
        // SAFETY: masking breaks nothing.
        unsafe { asm!("csrci mstatus, 8") }
    }

    fn this_cpu(&self) -> Option<CpuId> {
        let hart = csr!("mhartid");
        (hart < CPUS).then_some(CpuId::new(hart as u32))
    }

    fn hw_id(&self) -> u64 {
        csr!("mhartid") as u64
    }

    fn now(&self) -> u64 {
        read::<u64>(MTIME) * TICK_NS
    }

    fn relax(&self) {
        core::hint::spin_loop();
    }

    fn save_regs(&self, out: &mut Registers) {
        match self.frame {
            Some(frame) => {
                out.begin(EM_RISCV, frame.pc, frame.x[1], frame.x[7]);
                out.extend(&frame.x);
            }
            None => {
                let (sp, fp): (u64, u64);
                // SAFETY: reads two registers.
                unsafe { asm!("mv {}, sp", "mv {}, s0", out(reg) sp, out(reg) fp, options(nomem, nostack)) };
                out.begin(EM_RISCV, 0, sp, fp);
                out.set_own();
            }
        }
    }

    fn quiesce(&self) {
        // The timer, which nothing masks for whoever comes next; `park` turns off what could end its wait.
        write(MTIMECMP + 8 * csr!("mhartid"), u64::MAX);
    }

    fn park(&self) -> ! {
        park()
    }
}

impl SmpStopOps for Cpu<'_> {
    fn rungs(&self) -> &[Rung] {
        // Generous: an emulator's CPUs take turns on its host's.
        const BOUND: Bound = Bound::ms_us(300, 100_000);
        &[Rung {
            kind: RungKind::Interrupt,
            bound: BOUND,
        }]
    }

    fn signal(&self, _rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
        while story() == 3 && csr!("mhartid") == 1 {
            // A hook that hangs: what the others stand by for.
            core::hint::spin_loop();
        }
        targets.iter().for_each(|cpu| interrupt(cpu.as_usize()));
        Ok(())
    }

    // No `hw_off`: machine mode has no view of other CPUs.
    fn sees_power(&self) -> bool {
        false
    }
}
