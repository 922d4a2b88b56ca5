//! The areas are mapped, and nobody tells the shadow roots.

use kernel::arch::Arch;
use kernel::mm::{Areas, Mapped, Synced};

fn setup_per_cpu_areas_of_many<A: Arch>(tables: Synced<Mapped>) -> Synced<Areas> {
    let (_areas, tables) = tables.change::<A, _>("per-CPU areas", || [0; 4096]);
    tables
}

fn main() {}
