//! Who did not come, and why, in the log: each reason once, with those it is true of.

use alloc::vec::Vec;
use core::fmt;

use super::bringup::Came;
use crate::arch::{BootBlock, StartError};
use crate::cpu::{BOOT_CPU, CpuId, CpuMask, ONLINE};
use crate::{info, println, warning};

/// The CPUs that could not be started, by reason.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<(StartError, CpuMask)>);

impl Refusals {
    pub(super) fn add(&mut self, cpu: CpuId, why: StartError) {
        let known = self.0.iter_mut().find(|(reason, _)| *reason == why);
        // The ids come from a mask of the same size, here and below.
        let _ = match known {
            Some((_, cpus)) => cpus.set(cpu),
            None => {
                let mut cpus = CpuMask::EMPTY;
                let set = cpus.set(cpu);
                self.0.push((why, cpus));
                set
            }
        };
    }

    /// All of them.
    pub(super) fn cpus(&self) -> CpuMask {
        let all = |all: CpuMask, (_, cpus): &(StartError, CpuMask)| all.or(cpus);
        self.0.iter().fold(CpuMask::EMPTY, all)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn say(&self) {
        for (why, cpus) in &self.0 {
            warning!("smp: {} could not be started: {why}", Named(cpus));
        }
    }
}

/// `CPU 3`, or `36 CPUs (4-39)`.
pub(super) struct Named<'a>(pub(super) &'a CpuMask);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.count() {
            1 => write!(f, "CPU {}", self.0),
            count => write!(f, "{count} CPUs ({})", self.0),
        }
    }
}

/// The CPUs of `blocks` of which `is` holds.
pub(super) fn those(blocks: &[&'static BootBlock], is: impl Fn(&BootBlock) -> bool) -> CpuMask {
    let mut those = CpuMask::EMPTY;
    for block in blocks.iter().filter(|block| is(block)) {
        let _ = those.set(block.cpu_id());
    }
    those
}

/// What came of the boot's start of all CPUs.
pub(super) fn report(blocks: &[&'static BootBlock], came: &Came, ns: u64, method: &str) {
    let refused = came.refused.cpus();
    let mut expected = those(blocks, |_| true);
    let _ = expected.set(BOOT_CPU);
    let online = ONLINE.snapshot();
    let line = records::Cpus {
        expected: &expected,
        started: &expected.and_not(&refused),
        online: &online,
        missing: &came.missing,
        ns,
    };
    println!("{line}");
    info!(
        "smp: {} of {} CPUs online in {} us by {method}",
        online.count(),
        expected.count(),
        ns / 1000
    );
    let lost = |block: &BootBlock| came.missing.and_not(&refused).test(block.cpu_id());
    let ways = [
        (false, "gave no sign of life"),
        (true, "came to life and did not reach the gate"),
    ];
    for (alive, seen) in ways {
        let cpus = those(blocks, |block| lost(block) && block.is_alive() == alive);
        if !cpus.is_empty() {
            warning!("smp: {} {seen}; revoked: what still comes parks", Named(&cpus));
        }
    }
}

/// Says that `count` CPUs came that are not to be started now.
pub(super) fn say_unasked(count: usize) {
    if count > 0 {
        info!("smp: {count} CPUs that are to stay off came all the same; sent back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_once_with_all_it_is_true_of() {
        let mut refused = Refusals::default();
        assert!(refused.is_empty());
        let none = StartError::Impossible("there is no way");
        for (cpu, why) in [(4, none), (5, none), (7, StartError::NoSuchCpu), (6, none)] {
            refused.add(CpuId::new(cpu), why);
        }
        let said: Vec<_> = refused
            .0
            .iter()
            .map(|(why, cpus)| alloc::format!("{}: {why}", Named(cpus)))
            .collect();
        assert_eq!(
            said,
            [
                "3 CPUs (4-6): there is no way",
                "CPU 7: firmware knows no such CPU"
            ]
        );
        assert_eq!(alloc::format!("{}", refused.cpus()), "4-7");
    }
}
