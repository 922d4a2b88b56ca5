//! The final tables are made, and that is all.

use kernel::arch::Arch;
use kernel::mm::{Changed, Mapped, Synced};

fn setup_arch<A: Arch>(tables: Changed<Mapped>) -> Synced<Mapped> {
    tables
}

fn main() {}
