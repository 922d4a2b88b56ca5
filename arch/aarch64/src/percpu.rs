//! The per-CPU base, `TPIDR_EL1`, and the header of an area.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::ptr;
use core::sync::atomic::AtomicUsize;
#[cfg(feature = "smp")]
use core::sync::atomic::Ordering;

use cpumask::CpuId;
use kernel::arch::{HwId, PerCpuOps};
use percpu::ThisCpu;

use crate::{Aarch64, cpu};

/// Bytes of the stack that stands in for one that overflowed. A panic's report takes some 6.3 KiB of it.
pub const OVERFLOW_STACK: usize = 16384;

/// Offset of [`Header::overflow_top`], for the vectors.
pub const OVERFLOW_TOP: usize = offset_of!(Header, overflow_top);

/// First words of every area; the vectors reach them by fixed offset.
#[repr(C, align(64))]
struct Header {
    /// Where the stack for a stack overflow ends; zero on the boot CPU, which has [`OVERFLOW`].
    overflow_top: AtomicUsize,
}

#[unsafe(link_section = ".percpu.head")]
#[used]
static HEADER: Header = Header {
    overflow_top: AtomicUsize::new(0),
};

/// The memory of such a stack.
#[repr(C, align(16))]
pub struct OverflowStack(UnsafeCell<[u8; OVERFLOW_STACK]>);

// SAFETY: nothing but the boot CPU's stack pointer ever gets at it.
unsafe impl Sync for OverflowStack {}

/// The boot CPU's overflow stack: needed before there is an allocator, and so without a page below it that faults.
pub static OVERFLOW: OverflowStack = OverflowStack(UnsafeCell::new([0; OVERFLOW_STACK]));

/// Says where the overflow stack of the CPU with this area ends.
#[cfg(feature = "smp")]
pub fn set_overflow_top(area: usize, top: usize) {
    // SAFETY: an area begins with a header, and lives for ever.
    let header = unsafe { &*ptr::with_exposed_provenance::<Header>(area) };
    header.overflow_top.store(top, Ordering::Release);
}

// SAFETY: TPIDR_EL1 is written by `install` and entry assembly alone. `load_usize` is two instructions, and still one step: the interrupt
// handler recognises the pair and restarts it (see `restart_load`).
unsafe impl ThisCpu for Aarch64 {
    #[inline(always)]
    fn base() -> usize {
        let base;
        // SAFETY: reads a register. Not `pure`: after a switch the thread may be on another CPU.
        unsafe { asm!("mrs {}, tpidr_el1", out(reg) base, options(nomem, nostack, preserves_flags)) };
        base
    }

    #[inline(always)]
    unsafe fn load_usize(offset: usize) -> usize {
        let value;
        // SAFETY: the caller vouches for the offset. The index is written `sxtx`, which is the same as none for a
        // 64-bit register and which no compiler emits: it marks the pair for `restart_load`.
        unsafe {
            asm!(
                "mrs {value}, tpidr_el1",
                "ldr {value}, [{value}, {offset}, sxtx]",
                value = out(reg) value,
                offset = in(reg) offset,
                options(nostack, preserves_flags, readonly)
            );
        }
        value
    }
}

/// If `pc` stands between the two instructions of [`ThisCpu::load_usize`], the address of the first: else `pc`.
///
/// An interrupt there may end in a switch, and the thread continue on another CPU with the old CPU's base in a
/// register. Reading the base again is always right.
pub fn restart_load(pc: u64) -> u64 {
    let at = ptr::with_exposed_provenance::<u32>(pc as usize);
    // SAFETY: the CPU was about to execute the instruction at `pc`, and the image header lies before the first code. So
    // both words are mapped and readable.
    let (before, next) = unsafe { (at.sub(1).read(), at.read()) };
    if is_pair(before, next) { pc - 4 } else { pc }
}

/// Whether these are `mrs xN, tpidr_el1` and `ldr xN, [xN, xM, sxtx]`.
const fn is_pair(before: u32, next: u32) -> bool {
    const MRS_TPIDR_EL1: u32 = 0xd538_d080;
    const LDR_SXTX: u32 = 0xf860_e800;
    const RM: u32 = 0x1f << 16;
    let register = before & 0x1f;
    before == MRS_TPIDR_EL1 | register && next & !RM == LDR_SXTX | register << 5 | register
}

// mrs x8, tpidr_el1; ldr x8, [x8, x9, sxtx]. Then: another register; a plain index; another system register.
const _: () = assert!(is_pair(0xd538_d088, 0xf869_e908));
const _: () = assert!(!is_pair(0xd538_d087, 0xf869_e908));
const _: () = assert!(!is_pair(0xd538_d088, 0xf869_6908));
const _: () = assert!(!is_pair(0xd53b_d048, 0xf869_e908));

impl PerCpuOps for Aarch64 {
    /// The canary is a global of this ABI; the rest of the header is right as the template has it.
    unsafe fn fill_header(_area: usize, _canary: usize) {}

    unsafe fn install(_cpu: CpuId, area: usize) {
        // SAFETY: the caller vouches for the area.
        unsafe { asm!("msr tpidr_el1, {}", in(reg) area, options(nostack, preserves_flags)) };
    }

    fn hw_id() -> HwId {
        HwId(cpu::mpidr_affinity())
    }
}
