//! What came of stopping the other CPUs, in the same shape for UP and SMP builds.

use core::fmt;

use crate::cpu::{CpuId, CpuMask};

/// How well the others were stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopState {
    /// Every CPU ever released is the owner, parked, or off.
    Stopped,
    /// Some did not answer; they are named.
    Partial,
}

/// Who stands still.
#[derive(Clone, Copy, Debug)]
pub struct StopReport {
    /// The CPU that stopped the others; `None` if the kernel does not know which it is.
    pub owner: Option<CpuId>,
    /// Parked CPUs.
    pub stopped: CpuMask,
    /// Released CPUs that did not answer before the deadline.
    pub silent: CpuMask,
}

impl StopReport {
    /// The verdict.
    pub fn state(&self) -> StopState {
        if self.silent.is_empty() {
            StopState::Stopped
        } else {
            StopState::Partial
        }
    }
}

impl fmt::Display for StopReport {
    /// The machine-readable `@stop` line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state() {
            StopState::Stopped => "stopped",
            StopState::Partial => "partial",
        };
        write!(f, "@stop state={state} owner=")?;
        match self.owner {
            Some(cpu) => write!(f, "{cpu}")?,
            None => f.write_str("?")?,
        }
        write!(f, " stopped={} silent={}", self.stopped, self.silent)
    }
}
