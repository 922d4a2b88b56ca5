//! Calling firmware in physical mode.

use core::ops::Range;

use arch_x86::{fpu, handover, regs};
use kernel::arch::EfiOps;
use kernel::arch::InStep;

use crate::{X8664, symbols};

/// What `trampoline_pgd` maps to itself, writable and executable, from the entry code on.
const MAPPED: u64 = 4 << 30;

impl EfiOps for X8664 {
    fn map_identity(regions: &[Range<u64>]) -> Result<(), &'static str> {
        match regions.iter().all(|region| region.end <= MAPPED) {
            true => Ok(()),
            false => Err("some of them lie above 4 GiB, where they are not mapped to themselves"),
        }
    }

    unsafe fn on_identity<R>(_tables: &InStep, call: impl FnOnce() -> R) -> R {
        let kernel = regs::cr3();
        let shadow = handover::image(0).start + symbols::trampoline_root_offset();
        // SAFETY: the proof says that the shadow maps all that the kernel's root does; below it maps memory to itself.
        unsafe { regs::set_cr3(shadow as usize) };
        let result = call();
        // SAFETY: the root that it was.
        unsafe { regs::set_cr3(kernel) };
        result
    }

    fn with_fpu<R>(call: impl FnOnce() -> R) -> R {
        fpu::with(call)
    }
}
