//! Many CPUs: an area for each, in pages mapped for the purpose.

use core::sync::atomic::AtomicUsize;

use crate::arch::Arch;
use crate::cpu::{BOOT_CPU, POSSIBLE};
use crate::mm::map::map_new_pages_in;
use crate::mm::{Areas, Mapped, Synced};

/// One area of `unit` bytes a CPU, in a row; gives the boot CPU's, the first. The shadow roots learn of them: a starting CPU
/// needs its area before it has left them.
pub(super) fn areas<A: Arch>(unit: usize, tables: Synced<Mapped>) -> (usize, Synced<Areas>) {
    let (base, tables) = tables.change::<A, _>("per-CPU areas", || allocate::<A>(unit));
    (base, tables.resync::<A>())
}

fn allocate<A: Arch>(unit: usize) -> usize {
    /// Bytes of the window that are taken.
    static USED: AtomicUsize = AtomicUsize::new(0);
    let count = POSSIBLE.snapshot().count() as usize;
    let Ok(base) = map_new_pages_in::<A>(&A::AREAS, &USED, unit * count) else {
        panic!("no memory for {count} per-CPU areas")
    };
    for (cpu, area) in POSSIBLE.snapshot().iter().zip((base..).step_by(unit)) {
        // SAFETY: the memory is new, mapped, and long enough for all.
        unsafe { percpu::setup_area(core::ptr::with_exposed_provenance_mut(area)) };
        if cpu != BOOT_CPU {
            percpu::set_area(cpu.as_usize(), area);
        }
    }
    base
}
