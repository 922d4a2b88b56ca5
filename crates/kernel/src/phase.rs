//! What each CPU is doing, in words, for whoever looks at the machine from outside once it can no longer say so itself.
//!
//! A word of memory for each CPU points at a sentence. Whoever is about to do what may end without a word, run on other page
//! tables or call firmware, says so first: a store.

use core::sync::atomic::{AtomicPtr, Ordering};

use crate::arch::Arch;
use crate::cpu::{self, CpuId, NR_CPUS};

/// A sentence, to follow "it was": `&"starting other CPUs"`.
pub type Phase = &'static &'static str;

/// Found by its name, by the host: each a pointer to a string's address and length, or null.
static PHASE: [AtomicPtr<&'static str>; NR_CPUS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; NR_CPUS];

/// From here on `cpu` is at `phase`, or somebody has just sent it there.
#[inline(always)]
pub fn set(cpu: CpuId, phase: Phase) {
    if let Some(word) = PHASE.get(cpu.as_usize()) {
        word.store(core::ptr::from_ref(phase).cast_mut(), Ordering::Relaxed);
    }
}

/// From here on the executing CPU is at `phase`. In any state of the CPU.
pub fn enter<A: Arch>(phase: Phase) {
    if let Some(cpu) = cpu::by_hw_id(A::hw_id()) {
        set(cpu, phase);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_that_does_not_exist_has_no_phase() {
        set(CpuId::new(NR_CPUS as u32), &"lost");
        let phase: Phase = &"found";
        set(CpuId::BOOT, phase);
        let word = PHASE[0].load(Ordering::Relaxed);
        assert_eq!(word.cast_const(), core::ptr::from_ref(phase));
    }
}
