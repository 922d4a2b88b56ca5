//! `setup_per_cpu_areas`: an area for every possible CPU, in pages mapped for the purpose, and this CPU moves into its own.

use crate::arch::Arch;
use crate::cpu::{self, BOOT_CPU, POSSIBLE};
use crate::irq::IrqOff;
use crate::{canary, image, info, mm};

/// Bytes from one area to the next: the template, rounded up so that no two CPUs share a cache line.
pub fn unit_bytes() -> usize {
    percpu::template_bytes().next_multiple_of(64)
}

/// Makes the areas. From here on per-CPU variables may be used.
pub(crate) fn setup<A: Arch>() {
    let off = IrqOff::new();
    let unit = unit_bytes();
    let boot_area = if unit == 0 {
        image::per_cpu_start()
    } else {
        allocate::<A>(unit)
    };
    // SAFETY: the area is filled and nobody's; interrupts are off. Both canaries are the one in force.
    unsafe {
        A::fill_header(boot_area, canary::boot_canary());
        A::install(BOOT_CPU, boot_area);
    }
    // The boot CPU's area is registered last: with it per-CPU variables count as ready, and now its base is right.
    percpu::set_area(BOOT_CPU.as_usize(), boot_area);
    cpu::set_this_cpu::<A>(off.pin(), BOOT_CPU);
    info!(
        "percpu: {unit} bytes for each of {} CPUs",
        POSSIBLE.snapshot().count()
    );
}

/// One area a CPU, in a row; returns the boot CPU's, the first.
fn allocate<A: Arch>(unit: usize) -> usize {
    let count = POSSIBLE.snapshot().count() as usize;
    let Ok(base) = mm::map_new_pages::<A>(unit * count) else {
        panic!("no memory for {count} per-CPU areas")
    };
    for (cpu, area) in POSSIBLE.snapshot().iter().zip((base..).step_by(unit)) {
        // SAFETY: the memory is new, mapped, and long enough for all.
        unsafe { percpu::setup_area(core::ptr::with_exposed_provenance_mut(area)) };
        if cpu != BOOT_CPU {
            percpu::set_area(cpu.as_usize(), area);
            cpu::set_number_of(cpu);
        }
    }
    base
}
