//! The machine that the engine stops, where it has more than one CPU.

use core::sync::atomic::Ordering;

use cpumask::CpuId;
use smp_stop::smp::Limits;

use super::blocks;
use crate::arch::{Arch, Bound, Rung, SignalError, Targets};
use crate::cpu;
use crate::inject::{self, Effect, Place};
use crate::stop::Machine;

impl<A: Arch> smp_stop::smp::SmpStopOps for Machine<'_, A> {
    fn rungs(&self) -> &[Rung] {
        A::rungs()
    }

    fn signal(&self, rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
        match inject::at(Place::Send, rung as u32) {
            Effect::Go => A::signal(rung, targets),
            Effect::Skip => Ok(()),
            Effect::Refuse => Err(SignalError),
            Effect::Twice => A::signal(rung, targets).and_then(|()| A::signal(rung, targets)),
        }
    }

    /// Where the hardware has no view, a CPU is known to be on if it came unasked.
    fn hw_off(&self, cpu: CpuId) -> Option<bool> {
        let hw = cpu::hw_id(cpu)?;
        let unasked = || (blocks::is_early(cpu) || A::waits_unasked(hw)).then_some(false);
        A::hw_off(hw).or_else(unasked)
    }

    fn sees_power(&self) -> bool {
        A::sees_power()
    }

    /// The CPU that stood by gets longer than elsewhere: it only has to park, but an emulator's thread for it may not have
    /// a core just then.
    fn limits(&self) -> Limits {
        Limits {
            release: Bound::ms_us(200, 100),
            grace_ns: u64::from(super::STOP_GRACE_MS.load(Ordering::Relaxed)) * 1_000_000,
            ..Limits::DEFAULT
        }
    }
}
