//! The address space of this kernel: with PAE where the CPU has it, else with tables of two levels.

mod pae;

use core::arch::asm;
use core::ops::Range;

use arch_x86::cpu::{self, Features};
use arch_x86::{handover, regs};
use kernel::arch::{FixedMapping, MmuOps, ShadowRoot, Slots};
use paging::{Either, Mapper, TableMemory, X86Features, X86Legacy, X86Pae};
use spin::Once;

use crate::{I386, symbols};

/// Where physical address 0 appears.
const PHYSMAP_BASE: usize = 0xc000_0000;
/// RAM this kernel can use.
const PHYSMAP_BYTES: usize = 768 << 20;
/// Two entries of the root table without PAE.
const AREAS: Range<usize> = 0xf100_0000..0xf180_0000;
/// The last 8 MiB stay unmapped: [`crate::per_cpu`]'s poison points there.
const VMAP: Range<usize> = 0xf180_0000..0xff80_0000;

/// `initial_page_table`: its upper quarter follows the kernel's root. Without PAE the physmap appears in it a second time, as
/// it is in physical memory, for code that turns paging on or off; with PAE the physmap cannot be executed, and
/// [`pae`] has tables of their own for that.
static SHADOWS: Once<[ShadowRoot; 1]> = Once::new();
const KERNEL_QUARTER: Slots = Slots {
    start: PHYSMAP_BASE >> 22,
    end: 1024,
};
const PHYSMAP: Slots = Slots {
    start: PHYSMAP_BASE >> 22,
    end: (PHYSMAP_BASE >> 22) + (PHYSMAP_BYTES >> 22),
};

fn two_levels() -> X86Legacy {
    // The entry code insists on pages of 4 MiB.
    let mut features = X86Features::PSE;
    features.set(X86Features::GLOBAL, cpu::has(Features::PGE));
    X86Legacy::new(features)
}

fn in_image(offset: u64) -> u64 {
    handover::image(0).start + offset
}

impl MmuOps for I386 {
    type Space<M: TableMemory> = Either<Mapper<X86Legacy, M>, Mapper<X86Pae, M>>;

    const IMAGE_BASE: usize = 0xf000_0000;
    const PHYSMAP_BASE: usize = PHYSMAP_BASE;
    const PHYSMAP_SIZE: u64 = PHYSMAP_BYTES as u64;
    const VMAP: Range<usize> = VMAP;
    const AREAS: Range<usize> = AREAS;

    unsafe fn space<M: TableMemory>(root: u64, memory: M) -> Self::Space<M> {
        // SAFETY: the caller's promise.
        unsafe {
            match pae::is_wanted() {
                false => Either::A(Mapper::new(two_levels(), root, memory)),
                true => Either::B(Mapper::new(pae::format(), root, memory)),
            }
        }
    }

    fn kernel_root() -> Option<u64> {
        Some(in_image(symbols::kernel_root_offset()))
    }

    fn shadow_roots() -> &'static [ShadowRoot] {
        SHADOWS.call_once(|| {
            let copies: &[_] = match pae::is_wanted() {
                false => &[(KERNEL_QUARTER, KERNEL_QUARTER.start), (PHYSMAP, 0)],
                true => &[(pae::KERNEL, pae::KERNEL.start)],
            };
            [ShadowRoot {
                name: "initial_page_table",
                root: in_image(symbols::boot_root_offset()),
                copies,
            }]
        })
    }

    fn early_reach() -> Range<u64> {
        0..PHYSMAP_BYTES as u64
    }

    fn fixed_mappings() -> &'static [FixedMapping] {
        // The console is behind I/O ports.
        &[]
    }

    unsafe fn activate(root: u64) {
        // SAFETY: the caller's promise. The exception tasks take their root from here when they are set up, later. The first
        // call comes while the boot CPU is alone, with interrupts off.
        unsafe {
            match pae::is_wanted() && !pae::is_on() {
                false => regs::set_cr3(root as usize),
                true => pae::change_over(root),
            }
        }
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

/// Sees to it that the boot root will map `range` to itself, executable, once it is in step. With PAE it has tables for that;
/// else it has the physmap a second time, which is made to hold `range`.
///
/// # Errors
/// A sentence.
pub(crate) fn map_identity(range: &Range<u64>) -> Result<(), &'static str> {
    match pae::is_wanted() {
        true if range.end <= pae::IDENTITY_END => Ok(()),
        true => Err("some of them lie above 3 GiB, where they are not mapped to themselves"),
        false => kernel::mm::add_to_physmap::<I386>(range)
            .map_err(|_| "some of them lie above 768 MiB, where they are not mapped to themselves"),
    }
}
