//! The per-CPU base register: FS, a segment that begins at the executing CPU's area; GS is the same segment, because the
//! compiler looks for the stack canary there.
//!
//! The first 64 bytes of an area are its header. Two of its words have a fixed place: the first is the area's own
//! address, so that the base can be had in one instruction, and the one at 0x14 is the canary. Behind them is the GDT with
//! which a CPU comes to its area.

use core::arch::asm;

use arch_x86::desc::Descriptor;

use crate::I386;

/// Where the first word of the header points before the CPU has an area: unmapped for ever, so that a per-CPU variable
/// used too early faults (and a word read through the segment is beyond its limit). The header's words themselves,
/// canary included, lie in the boot header and work.
const NO_AREA: usize = 0xfffe_0000;

/// Offset of the canary in the header.
pub(crate) const CANARY: usize = 0x14;

/// Offset of the GDT in the header.
pub(crate) const GDT: usize = 0x18;

/// Null, one unused, flat code, flat data, the area. [`crate::tables`] has the one that a CPU goes on with.
pub(crate) type Gdt = [Descriptor; 5];

const _: () = assert!(GDT + size_of::<Gdt>() <= 64 && GDT.is_multiple_of(align_of::<Gdt>()));

/// What there is in the GDT of a CPU with this area.
pub(crate) fn segments(area: usize) -> Gdt {
    let area = Descriptor::data_at(area as u32);
    [
        Descriptor::NULL,
        Descriptor::NULL,
        Descriptor::FLAT_CODE,
        Descriptor::FLAT_DATA,
        area,
    ]
}

// SAFETY: `install` and the entry code keep FS at the executing CPU's header, whose first word is the area's address;
// each function is one instruction.
unsafe impl percpu::ThisCpu for I386 {
    #[inline(always)]
    fn base() -> usize {
        let base;
        // SAFETY: FS points at a header from the entry code on. Not `pure`: it changes when an area is installed.
        unsafe { asm!("mov {}, fs:[0]", out(reg) base, options(readonly, nostack, preserves_flags)) };
        base
    }

    #[inline(always)]
    unsafe fn load_usize(offset: usize) -> usize {
        let word;
        // SAFETY: the caller's offset is that of a word in the area.
        unsafe {
            asm!("mov {}, fs:[{}]", out(reg) word, in(reg) offset, options(readonly, nostack, preserves_flags))
        };
        word
    }
}

/// Makes the boot header's first word poison. The entry code has pointed FS at the header.
pub(crate) fn poison() {
    // SAFETY: the header is writable and nobody reads the word before.
    unsafe { asm!("mov fs:[0], {}", in(reg) NO_AREA, options(nostack, preserves_flags)) };
}

/// Writes the header of an area: its own address, the canary its CPU starts with, and the GDT.
///
/// # Safety
/// `area` is a filled area that no CPU relies on yet.
pub(crate) unsafe fn fill_header(area: usize, canary: usize) {
    let words: *mut usize = core::ptr::with_exposed_provenance_mut(area);
    // SAFETY: the header is the first 64 bytes of the area, which the caller vouches for.
    unsafe {
        words.write_volatile(area);
        words.byte_add(CANARY).write_volatile(canary);
        words.byte_add(GDT).cast::<Gdt>().write_volatile(segments(area));
    }
}

/// Sets the word that the compiler's stack protector compares with on this CPU.
///
/// # Safety
/// No caller up the stack may return through a check of the old value.
#[inline(always)]
pub(crate) unsafe fn set_canary(canary: usize) {
    // SAFETY: GS points at a header; what the change breaks is the caller's promise.
    unsafe { asm!("mov gs:[{}], {}", const CANARY, in(reg) canary, options(nostack, preserves_flags)) };
}
