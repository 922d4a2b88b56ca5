//! `setup_per_cpu_areas`: an area for every possible CPU, and this CPU moves into its own.

#[cfg_attr(feature = "smp", path = "percpu_areas/smp.rs")]
#[cfg_attr(not(feature = "smp"), path = "percpu_areas/up.rs")]
mod make;

use ::trace::{Phase, Ring};

use crate::arch::Arch;
use crate::cpu::{self, BOOT_CPU, POSSIBLE};
use crate::irq::IrqOff;
use crate::mm::{self, Areas, Mapped, Synced};
use crate::trace::{self, TRACE};
use crate::{canary, info, warning};

/// Bytes from one area to the next: the template, rounded up so that no two CPUs share a cache line.
pub fn unit_bytes() -> usize {
    percpu::template_bytes().next_multiple_of(64)
}

/// Makes the areas. From here on per-CPU variables may be used.
pub(crate) fn setup<A: Arch>(tables: Synced<Mapped>) -> Synced<Areas> {
    trace::phase::<A>(Phase::PerCpu);
    let off = IrqOff::new();
    let unit = unit_bytes();
    let (boot_area, tables) = make::areas::<A>(unit, tables);
    // SAFETY: the area is filled and nobody's; interrupts are off. Both canaries are the one in force.
    unsafe {
        A::fill_header(boot_area, canary::boot_canary());
        A::install(BOOT_CPU, boot_area);
    }
    // The boot CPU's area is registered last: with it per-CPU variables count as ready, and now its base is right.
    percpu::set_area(BOOT_CPU.as_usize(), boot_area);
    cpu::set_this_cpu::<A>(off.pin(), BOOT_CPU);
    POSSIBLE
        .snapshot()
        .iter()
        .filter(|cpu| *cpu != BOOT_CPU)
        .for_each(cpu::set_number_of);
    make_rings::<A>();
    info!(
        "percpu: {unit} bytes for each of {} CPUs",
        POSSIBLE.snapshot().count()
    );
    tables
}

/// Gives each possible CPU a ring of the trace. Without memory for them all write to the one there is.
fn make_rings<A: Arch>() {
    let count = POSSIBLE.snapshot().count() as usize;
    let Ok(base) = mm::zeroed_ram::<A>(count * size_of::<Ring>()) else {
        warning!("trace: no memory for {count} rings");
        return;
    };
    let first: *const Ring = base.cast_const().cast();
    // SAFETY: the memory is new, zeroed, page aligned, there for ever, long enough for so many, and zeros are an empty ring.
    TRACE.publish(unsafe { core::slice::from_raw_parts(first, count) });
}
