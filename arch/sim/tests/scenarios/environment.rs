//! Section E of the catalogue: the machine itself.

use sim::ops::longest;
use sim::plan::{Act, Clock, CpuPlan, Mishap, Ns, Place, Plan, Start, US};
use smp_stop::{Reason, Why};

use crate::{account, arriving, assert_all_parked, deaf, idle, named, play, stops};

#[test]
fn scenario_48_stop_before_percpu() {
    // No signal, no clock, no number, nobody else released.
    let plan = |seed| {
        let mut boot = CpuPlan::does([Act::Stop(Reason::Panic)]);
        boot.unknown = true;
        let never = CpuPlan::idle().from(Start::Off { arrives_after: None });
        Plan {
            rungs: std::iter::empty().collect(),
            clock: Clock::Stops(0),
            ..Plan::new(seed, [boot, never.clone(), never])
        }
    };
    play(plan, |run| {
        // Nobody knows that CPU 0 is who asks, so it is named; nobody else is.
        assert_eq!(named(account(run)), [(0, Why::NoSignal)]);
    });
}

#[test]
fn scenario_50_clock_stopped_and_stepped() {
    let hour: i64 = 3_600_000_000_000;
    let clocks = [
        Clock::Stops(0),
        Clock::Stops(50 * US),
        Clock::Steps(60 * US, hour),
        Clock::Steps(60 * US, -hour),
        Clock::Ticks(500 * US),
    ];
    for clock in clocks {
        let plan = |seed| Plan {
            clock,
            ..Plan::new(
                seed,
                [
                    stops(20 * US, Reason::Panic),
                    deaf(),
                    arriving(None),
                    CpuPlan::idle(),
                ],
            )
        };
        play(plan, |run| {
            assert_eq!(
                named(account(run)),
                [(1, Why::NmiDeaf), (2, Why::StartingLost)],
                "with {clock:?}"
            );
            assert!(account(run).at < 100 * US + longest(4, 2, clock));
        });
    }
}

#[test]
fn scenario_51_mask_edges() {
    for cpus in [1, 2, 31, 32, 33, 63, 64] {
        play(
            |seed| Plan::new(seed, idle(cpus - 1).chain([stops(20 * US, Reason::Panic)])),
            |run| {
                assert_eq!(account(run).owner, cpus - 1);
                assert_all_parked(account(run));
            },
        );
    }
    // Every other CPU was never started.
    let sparse = |seed| {
        let cpus = idle(63).enumerate().map(|(n, cpu)| match n % 2 {
            0 => cpu,
            _ => cpu.from(Start::Off { arrives_after: None }),
        });
        Plan::new(seed, cpus.chain([stops(20 * US, Reason::Panic)]))
    };
    play(sparse, |run| {
        let rows = &account(run).rows;
        let parked = rows.iter().filter(|row| row.is_parked());
        assert!(account(run).stopped);
        assert!(parked.map(|row| row.cpu.as_usize()).eq((0..63).step_by(2)));
    });
}

/// What can be wrong with a CPU, and what the report must say.
fn ailment(kind: usize) -> (CpuPlan, Option<Why>) {
    match kind {
        0 => (CpuPlan::idle(), None),
        1 => (CpuPlan::does([Act::Deafens]), None),
        2 => (deaf(), Some(Why::NmiDeaf)),
        3 => (arriving(None), Some(Why::StartingLost)),
        _ => {
            let mut stuck = CpuPlan::idle().trapped(Place::Saving, Mishap::Hangs);
            stuck.deaf = true;
            (stuck, Some(Why::Stuck))
        }
    }
}

#[test]
fn scenario_52_stop_report_exact() {
    for combination in 0..125 {
        let kinds = [combination % 5, combination / 5 % 5, combination / 25];
        let truth: Vec<_> = (1..)
            .zip(kinds)
            .filter_map(|(n, kind)| Some((n, ailment(kind).1?)))
            .collect();
        let plan = |seed| {
            let others = kinds.map(|kind| ailment(kind).0);
            Plan::new(seed, [stops(20 * US, Reason::Panic)].into_iter().chain(others))
        };
        play(plan, |run| assert_eq!(named(account(run)), truth));
    }
}

#[test]
fn scenario_53_system_still_alive_check() {
    let mut steps = Vec::new();
    for horizon in [20_000 * US, 20_000_000 * US] {
        let mut sum = 0;
        play(
            |seed| Plan {
                horizon,
                ..Plan::new(seed, [stops(20 * US, Reason::Crash)].into_iter().chain(idle(7)))
            },
            |run| {
                assert_all_parked(account(run));
                sum += run.steps;
            },
        );
        steps.push(sum);
    }
    assert_eq!(
        steps[0], steps[1],
        "somebody takes a step, if one waits long enough"
    );
}

#[test]
fn scenario_54_unknown_cpu_panics() {
    let plan = |seed, start: Start| {
        let mut stranger = CpuPlan::does([Act::Stop(Reason::Panic)]).from(start);
        stranger.unknown = true;
        Plan::new(seed, [CpuPlan::idle(), stranger, CpuPlan::idle()])
    };
    let arrives = |after: Ns| Start::Starting {
        arrives_after: Some(after),
    };
    for (start, why) in [
        (arrives(20 * US), Why::StartingLost),
        (Start::Online, Why::NmiDeaf),
    ] {
        play(
            |seed| plan(seed, start),
            |run| {
                // Its own number is the one nobody can account for.
                assert_eq!(named(account(run)), [(1, why)]);
                assert!(account(run).rows[0].is_parked() && account(run).rows[2].is_parked());
            },
        );
    }
}
