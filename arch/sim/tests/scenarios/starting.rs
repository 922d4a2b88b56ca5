//! Section A of the catalogue: CPUs on their way up and off.

use sim::ops::{LIMITS, longest};
use sim::plan::{Act, Clock, CpuPlan, Mishap, Ns, Place, Plan, Start, US};
use sim::world::Body;
use smp_stop::{How, Reason, RungKind, Via, Why};

use crate::{account, arriving, assert_all_parked, assert_parked_at_last, idle, last, named, play, stops};

/// How long an owner waits for one CPU on its way up.
const ARRIVAL: Ns = LIMITS.arrival.total(1);

/// A CPU on its way up that panics before it gets to the gate.
fn panics_while_starting(reason: Reason) -> CpuPlan {
    let early = CpuPlan::does([Act::Stop(reason)]);
    early.from(Start::Starting {
        arrives_after: Some(5 * US),
    })
}

#[test]
fn scenario_01_panic_on_starting_2cpu() {
    let plan = |seed| Plan::new(seed, [CpuPlan::idle(), panics_while_starting(Reason::Panic)]);
    play(plan, |run| {
        let account = account(run);
        assert_eq!((account.owner, account.how), (1, How::First));
        assert_all_parked(account);
        assert_eq!(account.rows[0].via, Some(Via::Signal(RungKind::Interrupt)));
    });
}

#[test]
fn scenario_02_panic_on_starting_4cpu_kexec() {
    let plan = |seed| Plan {
        hw_view: true,
        power_off: true,
        ..Plan::new(
            seed,
            [
                CpuPlan::idle(),
                panics_while_starting(Reason::Crash),
                CpuPlan::idle(),
                arriving(60 * US),
            ],
        )
    };
    play(plan, |run| {
        let account = account(run);
        assert_eq!(account.owner, 1);
        assert_all_parked(account);
        // The next kernel finds none of them on.
        for n in [0, 2, 3] {
            assert_eq!(account.bodies[n], Body::Off);
        }
    });
}

/// CPU 0 panics at about 20 us, CPU 2 is at the gate `after` the machine began.
fn third_party(seed: u64, after: Ns) -> Plan {
    Plan::new(
        seed,
        [stops(20 * US, Reason::Panic), CpuPlan::idle(), arriving(after)],
    )
}

#[test]
fn scenario_03_third_party_starter() {
    for delay in [0, ARRIVAL / 2, ARRIVAL - US, ARRIVAL + US, 3 * ARRIVAL] {
        play(
            |seed| third_party(seed, 30 * US + delay),
            |run| {
                let account = account(run);
                let late = named(account);
                assert!(late.is_empty() || late == [(2, Why::StartingLost)], "{late:?}");
                assert!(delay != 0 || late.is_empty(), "it came in time");
                assert!(delay < 3 * ARRIVAL || !late.is_empty(), "it came too late");
                assert_parked_at_last(run, 2);
                assert_eq!(run.ends[2].row.via, Some(Via::Gate));
            },
        );
    }
}

#[test]
fn scenario_03_third_party_starter_at_any_time() {
    let mut ways = [0; 2];
    for after in 0..400 {
        play(
            |seed| third_party(seed, after * US),
            |run| {
                account(run);
                assert_parked_at_last(run, 2);
                ways[usize::from(run.ends[2].row.via == Some(Via::Gate))] += 1;
            },
        );
    }
    assert!(ways[0] > 100 && ways[1] > 100, "both sides of the gate: {ways:?}");
}

/// The owner stops for a while at a place inside of it, and CPU 2 comes up in just that time.
fn arrives_while_owner_is_at(place: Place, skip: u8, via: &[Via]) {
    let plan = |seed| {
        let mut owner = stops(20 * US, Reason::Panic).trapped(place, Mishap::Sleeps(80 * US));
        owner.traps[0].skip = skip;
        Plan::new(seed, [owner, CpuPlan::idle(), arriving(70 * US)])
    };
    play(plan, |run| {
        assert_all_parked(account(run));
        let how = run.ends[2].row.via;
        assert!(how.is_some_and(|how| via.contains(&how)), "{how:?}");
    });
}

#[test]
fn scenario_04_online_between_snapshot_and_ipi() {
    let signal = Via::Signal(RungKind::Interrupt);
    // Before anybody was asked it comes online, and is asked then.
    arrives_while_owner_is_at(Place::Elected, 0, &[signal]);
    // CPU 1 was asked, it was not.
    arrives_while_owner_is_at(Place::Asked, 0, &[signal]);
    arrives_while_owner_is_at(Place::Asked, 1, &[Via::Gate]);
    arrives_while_owner_is_at(Place::Signal, 0, &[Via::Gate]);
}

#[test]
fn scenario_05_online_between_ipi_and_wait() {
    arrives_while_owner_is_at(Place::Signalled, 0, &[Via::Gate]);
}

#[test]
fn scenario_06_online_after_done() {
    let plan = |seed| {
        Plan::new(
            seed,
            [
                stops(20 * US, Reason::Crash),
                arriving(10_000 * US),
                CpuPlan::idle(),
            ],
        )
    };
    play(plan, |run| {
        let account = account(run);
        assert_eq!(named(account), [(1, Why::StartingLost)]);
        assert_parked_at_last(run, 1);
        assert_eq!(run.ends[1].row.why(), Some(Why::Late));
        // It touches nothing but its own slot.
        for n in [0, 2] {
            assert_eq!(run.ends[n].row, account.rows[n]);
        }
    });
}

#[test]
fn scenario_07_starter_never_arrives() {
    let plan = |seed| Plan::new(seed, [stops(20 * US, Reason::Panic), arriving(None)]);
    play(plan, |run| {
        let account = account(run);
        assert_eq!(named(account), [(1, Why::StartingLost)]);
        assert!(
            account.at < 60 * US + longest(2, 2, Clock::Runs) + 10 * US,
            "{}",
            account.at
        );
    });
}

#[test]
fn scenario_08_cpu_up_initiator_is_stopped() {
    let mut started = 0;
    let plan = |seed| {
        // CPU 0 starts CPU 3 and waits for it, with interrupts off.
        let starter = CpuPlan::does([Act::Work(30 * US), Act::Start(3), Act::Polls(5_000 * US)]);
        let off = CpuPlan::idle().from(Start::Off {
            arrives_after: Some(40 * US),
        });
        let stopper = stops(29 * US + seed * 50, Reason::Panic);
        Plan::new(seed, [starter, stopper, CpuPlan::idle(), off])
    };
    play(plan, |run| {
        let account = account(run);
        assert!(account.stopped, "{account:?}");
        assert_parked_at_last(run, 0);
        started += u32::from(run.ends[3].body != Body::NeverReleased);
    });
    assert!(
        (1..40).contains(&started),
        "started before and barred after: {started}"
    );
}

#[test]
fn scenario_57_cpu_comes_unasked() {
    let comes_after = |arrives_after| CpuPlan::idle().from(Start::Unasked { arrives_after });
    // It waits, and a stop finds it where it waits: named, and neither off nor parked.
    let never_started = |seed| {
        Plan::new(
            seed,
            [
                stops(60 * US, Reason::Panic),
                comes_after(20 * US),
                CpuPlan::idle(),
            ],
        )
    };
    play(never_started, |run| {
        assert_eq!(named(account(run)), [(1, Why::Unasked)]);
        assert_eq!(run.ends[1].body, Body::Waits);
        assert_eq!(run.ends[1].saves, 0);
    });
    // It is started, whenever it came: it is online, and stopped like the others.
    for arrives_after in [0, 5 * US, 20 * US, 25 * US, 200 * US] {
        let plan = |seed| {
            let starter = CpuPlan::does([Act::Work(15 * US), Act::Start(1), Act::Work(400 * US)]);
            let stopper = stops(350 * US, Reason::Panic);
            Plan::new(seed, [starter, comes_after(arrives_after), stopper])
        };
        play(plan, |run| {
            assert_all_parked(account(run));
            assert_eq!(run.ends[1].row.via, Some(Via::Signal(RungKind::Interrupt)));
        });
    }
}

#[test]
fn scenario_09_hotplug_out_in_flight() {
    let plan = |seed, takes: Ns, stop_after: Ns, rungs: &[RungKind]| {
        let leaves = CpuPlan::does([Act::Offline(takes)]);
        Plan {
            rungs: rungs.iter().copied().collect(),
            ..Plan::new(seed, [stops(stop_after, Reason::Panic), leaves, CpuPlan::idle()])
        }
    };
    const POLITE: &[RungKind] = &[RungKind::Interrupt];
    const FORCE: &[RungKind] = &[RungKind::Interrupt, RungKind::NonMaskable];
    // Quick enough: gone, or stopped on its way.
    play(
        |seed| plan(seed, 100 * US, 60 * US, POLITE),
        |run| assert!(account(run).stopped),
    );
    // In its second half its interrupts are off: force stops it, and without it is waited for and named.
    play(
        |seed| plan(seed, 4_000 * US, 3_000 * US, FORCE),
        |run| assert_all_parked(account(run)),
    );
    play(
        |seed| plan(seed, 4_000 * US, 3_000 * US, POLITE),
        |run| {
            assert_eq!(named(last(run)), [(1, Why::OfflineLost)]);
            assert_parked_at_last(run, 1);
            assert_eq!(run.ends[1].row.via, Some(Via::Offline));
        },
    );
    play(
        |seed| Plan::new(seed, idle(2)),
        |run| assert!(run.accounts.is_empty(), "a machine that nobody stops runs on"),
    );
}
