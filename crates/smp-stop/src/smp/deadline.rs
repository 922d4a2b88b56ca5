//! Waits that end, by a clock that may not be trusted (I5).

use super::Limits;
use crate::mutants::mutant;
use crate::ops::StopOps;

/// How many polls a wait has at the least, however the clock steps: each counts for at most this part of the bound. Whoever
/// is waited for has had so many chances, even if the waiting CPU itself did not run for seconds (an emulator's CPUs take
/// turns, a hypervisor's are taken off), or the clock was set.
const MIN_POLLS: u64 = 8;

/// The end of a wait: so many nanoseconds by a clock that runs, so many polls if it stands still or creeps.
#[derive(Debug)]
pub(crate) struct Deadline {
    limit: u64,
    elapsed: u64,
    /// The time at the last poll.
    last: Option<u64>,
    stalled: u32,
    polls: u32,
    /// How many waits this one is as long as; for the bounds on polls.
    waits: u32,
}

impl Deadline {
    /// A wait of `limit` nanoseconds. The clock is first looked at when there was a poll in vain: most waits see only one.
    pub(crate) const fn new(limit: u64) -> Self {
        Self::many(limit, 1)
    }

    /// As [`Self::new`], for the time that `waits` waits after each other may take.
    pub(crate) const fn many(limit: u64, waits: u32) -> Self {
        Self {
            limit,
            elapsed: 0,
            last: None,
            stalled: 0,
            polls: 0,
            waits,
        }
    }

    /// Whether the wait is over. To be asked once per poll.
    pub(crate) fn expired<O: StopOps + ?Sized>(&mut self, ops: &O, limits: &Limits) -> bool {
        if self.polls == 0 {
            self.polls = 1;
            return self.limit == 0;
        }
        self.is_over(ops.now(), limits)
    }

    #[inline(never)]
    fn is_over(&mut self, now: u64, limits: &Limits) -> bool {
        self.count(now);
        let by_clock = self.elapsed >= self.limit;
        let reached = |polls: u32, most: u32| polls >= most.saturating_mul(self.waits);
        let by_polls = reached(self.stalled, limits.stalled_polls) || reached(self.polls, limits.total_polls);
        by_clock || by_polls && !mutant!(ClockAlone)
    }

    fn count(&mut self, now: u64) {
        let moved = now.saturating_sub(self.last.unwrap_or(now));
        self.last = Some(now);
        self.polls = self.polls.saturating_add(1);
        self.stalled = if moved == 0 {
            self.stalled.saturating_add(1)
        } else {
            0
        };
        let most = (self.limit / MIN_POLLS).max(1);
        self.elapsed = self.elapsed.saturating_add(moved.min(most));
    }
}

#[cfg(all(test, not(any(feature = "loom", feature = "shuttle"))))]
mod tests {
    use super::*;

    fn polls_until_over(limit: u64, limits: &Limits, times: impl IntoIterator<Item = u64>) -> u32 {
        let mut deadline = Deadline {
            limit,
            elapsed: 0,
            last: Some(1_000_000),
            stalled: 0,
            polls: 0,
            waits: 1,
        };
        for now in times {
            deadline.count(now);
            if deadline.elapsed >= deadline.limit
                || deadline.stalled >= limits.stalled_polls
                || deadline.polls >= limits.total_polls
            {
                return deadline.polls;
            }
        }
        panic!("the wait never ends");
    }

    const LIMITS: Limits = Limits {
        stalled_polls: 50,
        total_polls: 10_000,
        ..Limits::DEFAULT
    };

    #[test]
    fn a_running_clock_ends_a_wait_on_time() {
        assert_eq!(
            polls_until_over(1_000, &LIMITS, (1_000_000..).step_by(10).skip(1)),
            100
        );
    }

    #[test]
    fn a_clock_that_stands_still_ends_it_by_polls() {
        assert_eq!(
            polls_until_over(1_000, &LIMITS, core::iter::repeat(1_000_000)),
            50
        );
    }

    #[test]
    fn a_clock_that_creeps_ends_it_by_polls() {
        let creep = (0u64..).map(|n| 1_000_000 + n / 40);
        assert_eq!(polls_until_over(u64::MAX, &LIMITS, creep), 10_000);
    }

    #[test]
    fn a_step_forward_is_not_the_end() {
        let stepped = (0u64..).map(|n| 1_000_000 + 10 * n + if n > 3 { 3_600_000_000_000 } else { 0 });
        let polls = polls_until_over(8_000, &LIMITS, stepped);
        assert!((690..=710).contains(&polls), "{polls}");
    }

    #[test]
    fn a_step_back_costs_nothing_and_ends_nothing() {
        let stepped = (1u64..).map(|n| 1_000_000 + 10 * n - if n > 50 { 900_000 } else { 0 });
        assert_eq!(polls_until_over(1_000, &LIMITS, stepped), 101);
    }

    #[test]
    fn whoever_is_waited_for_gets_eight_chances_however_long_the_gaps() {
        let gaps = (1u64..).map(|n| 1_000_000 + n * 5_000_000);
        assert_eq!(polls_until_over(1_000_000, &LIMITS, gaps), 8);
    }

    #[test]
    fn no_time_is_no_wait() {
        assert_eq!(polls_until_over(0, &LIMITS, [1_000_000]), 1);
    }
}
