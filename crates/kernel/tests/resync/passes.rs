//! A boot that keeps the shadow roots in step, with one CPU and with many.

use kernel::arch::Arch;
use kernel::mm::{Areas, Changed, InStep, Mapped, Synced};

fn setup_arch<A: Arch>(tables: Changed<Mapped>) -> Synced<Mapped> {
    tables.resync::<A>()
}

/// Nothing is mapped, and the step is the same.
fn setup_per_cpu_area_of_one<A: Arch>(tables: Synced<Mapped>) -> Synced<Areas> {
    let ((), tables) = tables.change::<A, _>("the per-CPU area", || ());
    tables.resync::<A>()
}

fn setup_per_cpu_areas_of_many<A: Arch>(tables: Synced<Mapped>) -> Synced<Areas> {
    let (_areas, tables) = tables.change::<A, _>("per-CPU areas", || [0; 4096]);
    tables.resync::<A>()
}

fn call_firmware<A: Arch, P: kernel::mm::Phase>(tables: &Synced<P>) {
    tables.enter::<A, _>("a firmware call", &[], |_: &InStep| ());
}

fn start_cpus<A: Arch>(tables: Synced<Areas>) {
    tables.enter::<A, _>("starting CPU 1", &[], |_: &InStep| ());
}

fn boot<A: Arch>(tables: Changed<Mapped>, many: bool) {
    let tables = setup_arch::<A>(tables);
    call_firmware::<A, _>(&tables);
    let tables = match many {
        true => setup_per_cpu_areas_of_many::<A>(tables),
        false => setup_per_cpu_area_of_one::<A>(tables),
    };
    call_firmware::<A, _>(&tables);
    start_cpus::<A>(tables);
}

fn main() {
    // There is no architecture on the host to boot with: that it compiles is all.
}
