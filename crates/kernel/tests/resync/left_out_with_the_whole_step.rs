//! A build in which the step with the second resync is not there at all.

use kernel::arch::Arch;
use kernel::mm::{Areas, Changed, Mapped, Synced};

fn start_cpus<A: Arch>(tables: Synced<Areas>) {
    tables.enter::<A, _>("starting CPU 1", &[], |_| ());
}

fn boot<A: Arch>(tables: Changed<Mapped>) {
    let tables = tables.resync::<A>();
    start_cpus::<A>(tables);
}

fn main() {}
