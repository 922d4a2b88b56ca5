//! The comparison was a while ago, and the tables may have changed since.

use kernel::arch::Arch;
use kernel::mm::{Areas, InStep, Synced};

fn keep<A: Arch>(tables: &Synced<Areas>) -> &'static InStep {
    tables.enter::<A, _>("starting CPU 1", &[], |now| now)
}

fn main() {}
