//! Words of the command line that only x86 knows.

use core::sync::atomic::{AtomicBool, Ordering};

use boot_info::cmdline::{Param, parse_bool};

use crate::cpu::{self, Features};

static NO_PAE: AtomicBool = AtomicBool::new(false);
static EXECUTE_ALL: AtomicBool = AtomicBool::new(false);

/// `noexec=`, as in Linux.
pub const NOEXEC: Param = Param {
    name: "noexec",
    help: "noexec=off  do not use the no-execute bit of page-table entries",
    parse: |value| {
        EXECUTE_ALL.store(!parse_bool(value)?, Ordering::Relaxed);
        Ok(())
    },
};

/// `nopae`, for the 32-bit kernel.
pub const NOPAE: Param = Param {
    name: "nopae",
    help: "nopae  use page tables of two levels though the CPU has PAE",
    parse: |value| {
        NO_PAE.store(parse_bool(value)?, Ordering::Relaxed);
        Ok(())
    },
};

/// Whether `nopae` was said.
pub fn nopae() -> bool {
    NO_PAE.load(Ordering::Relaxed)
}

/// Whether table entries shall have the no-execute bit: the CPU has it, and nobody said `noexec=off`.
pub fn no_execute() -> bool {
    cpu::has(Features::NX) && !EXECUTE_ALL.load(Ordering::Relaxed)
}
