//! The MMU.

pub mod early_physmap;
pub mod features;
pub mod fixmap;
mod ops;
pub mod regs;

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU64, Ordering};

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::ID_AA64MMFR0_EL1;
use paging::Half;
use tock_registers::interfaces::Readable;

use crate::layout;

global_asm!(include_str!("switch.s"));

/// Where the boot loader put the image; written once, first thing in Rust.
static IMAGE_PA: AtomicU64 = AtomicU64::new(0);

/// Notes where the image lies.
pub fn set_image_pa(pa: u64) {
    IMAGE_PA.store(pa, Ordering::Relaxed);
}

/// Physical address of `_text`.
pub fn image_pa() -> u64 {
    IMAGE_PA.load(Ordering::Relaxed)
}

/// One past the image's last byte, in memory.
pub fn image_end_pa() -> u64 {
    unsafe extern "C" {
        static _end: u8;
    }
    image_to_phys((&raw const _end).expose_provenance())
}

/// Physical address of a part of the image.
fn image_to_phys(va: usize) -> u64 {
    image_pa() + (va - layout::IMAGE_BASE) as u64
}

/// The format of tables for a half of the address space on this CPU.
pub fn format(half: Half) -> paging::Aarch64 {
    // PARange in bits (Arm ARM, ID_AA64MMFR0_EL1); past 48 needs 52-bit tables, which these are not.
    const BITS: [u32; 6] = [32, 36, 40, 42, 44, 48];
    let range = ID_AA64MMFR0_EL1.read(ID_AA64MMFR0_EL1::PARange) as usize;
    paging::Aarch64::new(half, BITS.get(range).copied().unwrap_or(48))
}

/// Makes `root` the executing CPU's table for the upper half; no translation made by an older one is left.
///
/// # Safety
/// `root` must map all that is running: image, stack, what the caller's references point to.
pub unsafe fn activate(root: u64) {
    unsafe extern "C" {
        fn switch_root(root: u64, virt_minus_phys: u64);
    }
    // SAFETY: the caller vouches for the table. The code runs with exceptions masked and touches no memory but text,
    // which both tables and the identity map have.
    unsafe { switch_root(root, layout::IMAGE_BASE as u64 - image_pa()) };
}

/// Makes new entries visible to the walker before the next access goes through them.
pub fn tables_changed() {
    barrier::dsb(barrier::ISHST);
    barrier::isb(barrier::SY);
}

/// Drops the executing CPU's translation of the page at `va`.
pub fn flush_local(va: usize) {
    const VA_55_12: usize = (1 << 44) - 1;
    // SAFETY: dropping a cached translation changes no meaning of any address. The first barrier makes earlier table
    // writes visible to the walker; the last two make later accesses use them.
    unsafe {
        asm!(
            "dsb nshst",
            "tlbi vaae1, {page}",
            "dsb nsh",
            "isb",
            page = in(reg) (va >> 12) & VA_55_12,
            options(nostack, preserves_flags)
        );
    }
}
