//! What firmware tables said about this machine, in words no architecture owns.

use arrayvec::ArrayVec;

use super::HwId;

/// CPUs a firmware table may list: more than any build runs, so that those left off can be named.
pub const MAX_FIRMWARE_CPUS: usize = 1024;

/// The machine.
#[derive(Debug)]
pub struct Platform {
    /// CPUs that may be started, the boot CPU among them or not; no duplicates. What does not fit is in `cpus_dropped`.
    pub cpus: ArrayVec<HwId, MAX_FIRMWARE_CPUS>,
    /// CPUs beyond [`MAX_FIRMWARE_CPUS`].
    pub cpus_dropped: usize,
    /// There may be CPUs that nobody knows of: the list is damaged, or there is none.
    pub cpus_unknown: bool,
    /// Where the list came from: `MADT`, `FDT`, or `none`.
    pub cpu_source: &'static str,
    /// How CPUs are started, for the log: `INIT-SIPI`, `PSCI hvc`.
    pub start_method: &'static str,
}

impl Platform {
    /// Nothing known.
    pub const EMPTY: Self = Self {
        cpus: ArrayVec::new_const(),
        cpus_dropped: 0,
        cpus_unknown: false,
        cpu_source: "nobody",
        start_method: "nothing",
    };

    /// Adds a CPU to the list, once.
    pub fn add_cpu(&mut self, hw: HwId) {
        if !self.cpus.contains(&hw) && self.cpus.try_push(hw).is_err() {
            self.cpus_dropped += 1;
        }
    }
}
