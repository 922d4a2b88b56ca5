//! Calling firmware in physical mode: the lower half of the address space, else empty, maps it to itself.

use core::arch::asm;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{CPACR_EL1, SCTLR_EL1, TTBR0_EL1};
use kernel::arch::EfiOps;
use kernel::mm::{InStep, TablePages};
use paging::{Cache, Half, Mapper, TableMemory};
use tock_registers::interfaces::{ReadWriteable, Readable, Writeable};

use crate::{Aarch64, mmu};

/// Physical address of the root table; 0 before there is one.
static ROOT: AtomicU64 = AtomicU64::new(0);

impl EfiOps for Aarch64 {
    fn map_identity(regions: &[Range<u64>]) -> Result<(), &'static str> {
        const NO_ROOM: &str = "no memory for page tables";
        let mut pages = TablePages::<Aarch64>::new();
        let root = pages.alloc_table().ok_or(NO_ROOM)?;
        // SAFETY: an empty table that nobody runs on.
        let mut mapper = unsafe { Mapper::new(mmu::format(Half::Lower), root, pages) };
        for region in regions {
            let len = region.end - region.start;
            // SAFETY: firmware's own memory, in a root that only firmware runs on.
            unsafe { mapper.map_write_exec(region.start, region.start, len, Cache::WriteBack) }
                .map_err(|_| "they cannot be mapped to themselves")?;
        }
        mmu::tables_changed();
        ROOT.store(root, Ordering::Release);
        Ok(())
    }

    unsafe fn on_identity<R>(_tables: &InStep, call: impl FnOnce() -> R) -> R {
        let empty = TTBR0_EL1.get();
        TTBR0_EL1.set(ROOT.load(Ordering::Acquire));
        // Firmware moves its own code: for this one call, what is writable may be executed.
        SCTLR_EL1.modify(SCTLR_EL1::WXN::Disable);
        forget();
        let result = call();
        SCTLR_EL1.modify(SCTLR_EL1::WXN::Enable);
        TTBR0_EL1.set(empty);
        forget();
        result
    }

    fn with_fpu<R>(call: impl FnOnce() -> R) -> R {
        CPACR_EL1.modify(CPACR_EL1::FPEN::TrapNothing);
        barrier::isb(barrier::SY);
        let result = call();
        CPACR_EL1.set(0);
        barrier::isb(barrier::SY);
        result
    }
}

/// Drops what this CPU keeps of translations, and of instructions that may have been changed.
fn forget() {
    // SAFETY: what is dropped is read again.
    unsafe {
        asm!(
            "isb",
            "tlbi vmalle1",
            "ic iallu",
            "dsb nsh",
            "isb",
            options(nostack, preserves_flags)
        )
    };
}
