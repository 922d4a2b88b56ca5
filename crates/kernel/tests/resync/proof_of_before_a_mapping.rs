//! Something is mapped after the resync, and the old proof is shown.

use kernel::arch::Arch;
use kernel::mm::{Areas, Synced};

fn start_cpus<A: Arch>(tables: Synced<Areas>) {
    let (_stack, _changed) = tables.change::<A, _>("a stack", || [0; 4096]);
    tables.enter::<A, _>("starting CPU 1", &[], |_| ());
}

fn main() {}
