//! The address space of this kernel.

use core::arch::asm;
use core::ops::Range;

use arch_x86::cpu::{self, Features};
use arch_x86::{handover, params, regs};
use kernel::arch::{FixedMapping, MmuOps, ShadowRoot, Slots};
use paging::{Mapper, TableMemory, X86_64, X86Features};
use spin::Once;

use crate::{X8664, symbols};

const GIB: u64 = 1 << 30;
/// Where physical address 0 appears.
pub(crate) const PHYSMAP_BASE: usize = 0xffff_8880_0000_0000;
/// One entry of the root table, so that the root does not change when the window fills.
const VMAP: Range<usize> = 0xffff_c900_0000_0000..0xffff_c980_0000_0000;
/// The next one.
const AREAS: Range<usize> = 0xffff_c980_0000_0000..0xffff_ca00_0000_0000;

/// The root that starting CPUs come through. Its lower half is the boot code's, its upper half follows the kernel's root.
static SHADOWS: Once<[ShadowRoot; 1]> = Once::new();
const UPPER_HALF: Slots = Slots { start: 256, end: 512 };

fn features() -> X86Features {
    let mut features = X86Features::PSE;
    features.set(X86Features::NX, params::no_execute());
    features.set(X86Features::GLOBAL, cpu::has(Features::PGE));
    features.set(X86Features::GIB, cpu::has(Features::PAGE_1G));
    features
}

impl MmuOps for X8664 {
    type Space<M: TableMemory> = Mapper<X86_64, M>;

    const IMAGE_BASE: usize = 0xffff_ffff_8000_0000;
    const PHYSMAP_BASE: usize = PHYSMAP_BASE;
    const PHYSMAP_SIZE: u64 = 1 << 46;
    const VMAP: Range<usize> = VMAP;
    const AREAS: Range<usize> = AREAS;

    unsafe fn space<M: TableMemory>(root: u64, memory: M) -> Self::Space<M> {
        // SAFETY: the caller's promise.
        unsafe { Mapper::new(X86_64::new(features(), cpu::phys_bits()), root, memory) }
    }

    fn kernel_root() -> Option<u64> {
        None
    }

    fn shadow_roots() -> &'static [ShadowRoot] {
        SHADOWS.call_once(|| {
            let root = handover::image(0).start + symbols::trampoline_root_offset();
            [ShadowRoot {
                name: "trampoline_pgd",
                root,
                copies: &[(UPPER_HALF, UPPER_HALF.start)],
            }]
        })
    }

    fn early_reach() -> Range<u64> {
        0..4 * GIB
    }

    fn fixed_mappings() -> &'static [FixedMapping] {
        // The console is behind I/O ports.
        &[]
    }

    unsafe fn activate(root: u64) {
        // SAFETY: the caller's promise.
        unsafe { regs::set_cr3(root as usize) };
        regs::flush_global();
    }

    fn tables_changed() {
        // A walk on this CPU sees earlier stores; another CPU learns of the new mapping by a store that comes later.
    }

    #[inline]
    fn flush_page(va: usize) {
        // SAFETY: dropping a cached translation changes no meaning.
        unsafe { asm!("invlpg [{}]", in(reg) va, options(nostack, preserves_flags)) };
    }
}
