//! Calling firmware in physical mode.

use core::ops::Range;

use arch_x86::{fpu, handover, regs};
use kernel::arch::EfiOps;
use kernel::mm::{self, InStep};

use crate::{I386, mmu, symbols, tables};

impl EfiOps for I386 {
    fn map_identity(regions: &[Range<u64>]) -> Result<(), &'static str> {
        regions.iter().try_for_each(mmu::map_identity)
    }

    /// On `initial_page_table`, and with the GDT where that maps physical memory to itself.
    unsafe fn on_identity<R>(_tables: &InStep, call: impl FnOnce() -> R) -> R {
        let kernel = regs::cr3();
        let shadow = handover::image(0).start + symbols::boot_root_offset();
        let gdt = tables::gdt();
        let physical = mm::physical_address::<I386>(gdt.base as usize);
        let at_physical = tables::GdtPointer {
            base: physical.map_or(gdt.base, |at| at as u32),
            ..gdt
        };
        // SAFETY: the proof says that the shadow maps all that the kernel's root does, the GDT's page at its physical address
        // among it. The table is the same; nothing loads a segment in between.
        unsafe {
            tables::load_gdt_at(at_physical);
            regs::set_cr3(shadow as usize);
        }
        let result = call();
        // SAFETY: root and table that they were.
        unsafe {
            regs::set_cr3(kernel);
            tables::load_gdt_at(gdt);
        }
        result
    }

    fn with_fpu<R>(call: impl FnOnce() -> R) -> R {
        fpu::with(call)
    }
}
