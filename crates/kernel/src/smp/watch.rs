//! The wait for CPUs that were released: whom it is for, and when it is in vain.

use smp_stop::CpuState;

use super::bringup;
use super::missing::{Named, those};
use crate::arch::{Arch, BootBlock};
use crate::clock::MS;
use crate::cpu::{self, ONLINE};
use crate::inject::{self, Place};
use crate::irq::IrqOff;
use crate::mm::{Phase, Synced};
use crate::{clock, info, sched};

/// How long a released CPU may take to reach Rust before it is asked again, and how often that is done.
const ASK_AGAIN_NS: u64 = 100 * MS;
const ATTEMPTS: u32 = 3;
/// Time for all to come online: this, and a share for each CPU, because an emulator's CPUs take turns.
const DEADLINE_NS: u64 = 10_000 * MS;
const DEADLINE_PER_CPU_NS: u64 = 100 * MS;
/// How often the boot CPU looks who has come to life since.
const LOOK_NS: u64 = 50 * MS;
/// After how long it says for whom it waits.
const SAY_NS: u64 = 1_000 * MS;
/// For how long no CPU may come to life before the rest is taken for absent: at least this, and so many times what the
/// slowest of those that came took.
const QUIET_NS: u64 = 2_000 * MS;
const QUIET_FACTOR: u64 = 8;

/// Whether it is worth while to wait on.
///
/// What counts is looks and not the clock: a machine that was not let run for a while finds the clock far ahead, and its CPUs
/// had no time to come.
#[derive(Debug, Default)]
struct Patience {
    /// How many came to life.
    lively: usize,
    /// What the last of them took, as far as the looks tell.
    slowest_ns: u64,
    /// Looks since.
    quiet: u64,
}

impl Patience {
    /// A look, `ns` after the first release: so many have come to life by now. `arriving`: some of them are not through the
    /// gate yet; these get all the time there is. False if the rest is not worth waiting for.
    fn look(&mut self, ns: u64, lively: usize, arriving: bool) -> bool {
        if lively > self.lively || arriving {
            self.quiet = 0;
        } else {
            self.quiet += 1;
        }
        if lively > self.lively {
            (self.lively, self.slowest_ns) = (lively, ns);
        }
        self.quiet * LOOK_NS < self.quiet_ns()
    }

    /// Where none has come at all there is nothing to go by.
    fn quiet_ns(&self) -> u64 {
        match self.lively {
            0 => DEADLINE_NS,
            _ => QUIET_NS.max(self.slowest_ns.saturating_mul(QUIET_FACTOR)),
        }
    }
}

/// Sleeps until all are through the gate, the deadline has come, or no more are to be expected; and asks CPUs again that show
/// no sign of life.
pub(super) fn wait<A: Arch, P: Phase>(blocks: &[&'static BootBlock], tables: &Synced<P>) {
    let start = clock::now_ns();
    let mut arrived = 0;
    let mut all_arrived = || {
        inject::at(Place::Waiting, 0);
        arrived += blocks[arrived..].iter().take_while(|b| !is_starting(b)).count();
        arrived == blocks.len()
    };
    for attempt in 1..ATTEMPTS {
        if sched::wait_until::<A>(start + ASK_AGAIN_NS * u64::from(attempt), &mut all_arrived) {
            return;
        }
        for block in blocks.iter().filter(|b| is_starting(b) && !b.is_alive()) {
            let _off = IrqOff::new();
            // A CPU that fails this time was already told of or stays silent.
            let _ = bringup::ask::<A, P>(block, tables, attempt);
        }
    }
    wait_on::<A>(blocks, start, all_arrived);
}

/// The rest of the wait: nothing is left to do but to look.
fn wait_on<A: Arch>(blocks: &[&'static BootBlock], start: u64, mut all_arrived: impl FnMut() -> bool) {
    let deadline = start + DEADLINE_NS + DEADLINE_PER_CPU_NS * blocks.len() as u64;
    let (mut patience, mut said) = (Patience::default(), false);
    loop {
        let now = clock::now_ns();
        if now >= deadline || sched::wait_until::<A>(deadline.min(now + LOOK_NS), &mut all_arrived) {
            return;
        }
        let lively = blocks.iter().filter(|b| b.is_alive()).count();
        let arriving = blocks.iter().any(|b| b.is_alive() && is_starting(b));
        let ns = clock::now_ns() - start;
        if !said && ns >= SAY_NS {
            said = true;
            say(blocks, ns);
        }
        if !patience.look(ns, lively, arriving) {
            return;
        }
    }
}

/// Who is waited for, and why.
fn say(blocks: &[&'static BootBlock], ns: u64) {
    let ways = [
        (false, "no sign of life, though asked more than once"),
        (true, "alive, and not through the gate"),
    ];
    for (alive, seen) in ways {
        let cpus = those(blocks, |b| is_starting(b) && b.is_alive() == alive);
        if !cpus.is_empty() {
            info!("smp: waiting for {} since {} ms: {seen}", Named(&cpus), ns / MS);
        }
    }
}

/// Whether it is still to come. One that is online is also in the mask by the time it has told the boot CPU.
fn is_starting(block: &BootBlock) -> bool {
    match cpu::word(block.cpu_id()).state() {
        CpuState::Starting => true,
        CpuState::Online => !ONLINE.test(block.cpu_id()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the boot CPU waits, in ms, where so many have come to life after so many ms each.
    fn waits_ms(lively: impl Fn(u64) -> (usize, bool)) -> u64 {
        let mut patience = Patience::default();
        let mut ms = 200;
        loop {
            ms += LOOK_NS / MS;
            let (count, arriving) = lively(ms);
            if !patience.look(ms * MS, count, arriving) || ms > 60_000 {
                return ms;
            }
        }
    }

    #[test]
    fn cpus_that_are_not_there_cost_two_seconds() {
        assert_eq!(waits_ms(|_| (3, false)), 250 + 2_000);
    }

    #[test]
    fn without_any_life_there_is_no_hurry() {
        assert_eq!(waits_ms(|_| (0, false)), 200 + 10_000);
    }

    #[test]
    fn slow_cpus_are_waited_for_as_long_as_the_others_were_slow() {
        // One a second, the last of 12 after 12 s: it is not given up.
        let slow = |ms: u64| ((ms / 1_000).min(12) as usize, false);
        assert!(waits_ms(slow) > 12_000 + 8 * 12_000 - 1_000 || waits_ms(slow) > 60_000);
    }

    #[test]
    fn a_cpu_that_is_alive_has_all_the_time() {
        assert!(waits_ms(|_| (3, true)) > 60_000);
        assert_eq!(waits_ms(|ms| (3, ms < 5_000)), 4_950 + 2_000);
    }

    #[test]
    fn a_clock_that_jumps_takes_no_time_away() {
        let mut patience = Patience::default();
        assert!(patience.look(250 * MS, 3, false));
        // The machine was not let run for an hour.
        for look in 1..QUIET_NS / LOOK_NS {
            assert!(patience.look(3_600_000 * MS, 3, false), "look {look}");
        }
        assert!(!patience.look(3_600_050 * MS, 3, false));
    }
}
