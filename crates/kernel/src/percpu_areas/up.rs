//! One CPU: the section itself is its area.

use crate::arch::Arch;
use crate::mm::{Areas, Mapped, Synced};

/// The section. Nothing is mapped for it, but firmware calls and the real-mode reboot come through the shadow roots in this
/// build too: the step to the next phase is the same as with many CPUs.
pub(super) fn areas<A: Arch>(_unit: usize, tables: Synced<Mapped>) -> (usize, Synced<Areas>) {
    let (base, tables) = tables.change::<A, _>("the per-CPU area", section_start);
    (base, tables.resync::<A>())
}

/// The host's test program has no such section.
fn section_start() -> usize {
    #[cfg(not(target_os = "none"))]
    return 0;
    #[cfg(target_os = "none")]
    {
        unsafe extern "C" {
            static __per_cpu_start: u8;
        }
        (&raw const __per_cpu_start).expose_provenance()
    }
}
