//! Section D of the catalogue: acknowledgements, the park page, registers.

use sim::plan::{Act, CpuPlan, Mishap, Place, Plan, Signals, US};
use sim::world::Body;
use smp_stop::{Reason, RungKind, Why};

use crate::{account, assert_all_parked, assert_parked_at_last, idle, last, named, play, stops};

/// CPU 0 panics; CPU 1 is tripped up on its way to the park page; CPU 2 idles.
fn tripped(seed: u64, at: Place, what: Mishap) -> Plan {
    let stopper = stops(20 * US, Reason::Panic);
    Plan::new(
        seed,
        [stopper, CpuPlan::idle().trapped(at, what), CpuPlan::idle()],
    )
}

#[test]
fn scenario_39_ack_before_flush() {
    // A cache that takes its time is waited for ...
    play(
        |seed| tripped(seed, Place::Quiescing, Mishap::Sleeps(45 * US)),
        |run| {
            assert_all_parked(account(run));
            assert!(account(run).at > 70 * US, "the owner went ahead of the flush");
        },
    );
    // ... as long as can be, and if that is not enough its CPU is no stopped one.
    play(
        |seed| tripped(seed, Place::Quiescing, Mishap::Sleeps(5_000 * US)),
        |run| {
            assert_eq!(named(account(run)), [(1, Why::Stuck)]);
            assert_parked_at_last(run, 1);
        },
    );
}

#[test]
fn scenario_41_fault_while_saving_regs() {
    play(
        |seed| tripped(seed, Place::Saving, Mishap::Faults),
        |run| {
            let account = account(run);
            assert!(account.stopped);
            assert_eq!(account.rows[1].why(), Some(Why::NoRegs));
            assert!(account.rows[2].has_registers);
        },
    );
}

#[test]
fn scenario_41_fault_anywhere_on_the_way() {
    let places = [
        Place::Answering,
        Place::Saving,
        Place::StandingBy,
        Place::Quiescing,
        Place::Acknowledging,
    ];
    for place in places {
        play(
            |seed| tripped(seed, place, Mishap::Faults),
            |run| {
                assert!(account(run).stopped);
                assert!(account(run).rows[1].is_parked());
                let early = matches!(place, Place::Answering | Place::Saving);
                assert_eq!(account(run).rows[1].has_registers, !early);
            },
        );
    }
}

/// Signals that come long after all is over.
const STRAYS: Signals = Signals {
    lost: 0,
    twice: 100,
    late: 70,
    late_by: 5_000 * US,
    refused: None,
};

#[test]
fn scenario_42_park_page_survives() {
    let plan = |seed| Plan {
        signals: STRAYS,
        ..Plan::new(seed, [stops(20 * US, Reason::Crash)].into_iter().chain(idle(7)))
    };
    play(plan, |run| {
        (1..8).for_each(|n| assert_parked_at_last(run, n));
        assert!((1..8).all(|n| run.ends[n].body == Body::Parked));
    });
}

/// A machine whose hardware knows who is off, and where parking is turning off.
fn powers_off(seed: u64, cpus: impl IntoIterator<Item = CpuPlan>) -> Plan {
    Plan {
        hw_view: true,
        power_off: true,
        ..Plan::new(seed, cpus)
    }
}

#[test]
fn scenario_43_power_off_denied() {
    let plan = |seed| {
        let mut denied = CpuPlan::idle();
        denied.power_off_denied = true;
        powers_off(seed, [stops(20 * US, Reason::Crash), denied, CpuPlan::idle()])
    };
    play(plan, |run| {
        assert_all_parked(account(run));
        assert_eq!(account(run).bodies[1..], [Body::Parked, Body::Off]);
    });
}

#[test]
fn scenario_44_already_on_in_next_kernel() {
    let plan = |seed| powers_off(seed, [stops(20 * US, Reason::Crash)].into_iter().chain(idle(7)));
    play(plan, |run| {
        assert_all_parked(account(run));
        // Not only on their way off, by the time the owner goes on.
        assert_eq!(account(run).bodies[1..], [Body::Off; 7]);
    });
}

#[test]
fn scenario_45_late_reader_of_owner_stack() {
    // The owner has returned, and fails while it reports: nothing of its stack is there any more when CPU 1 answers.
    let plan = |seed| {
        let owner = stops(20 * US, Reason::Panic).trapped(Place::Reporting, Mishap::Faults);
        Plan::new(
            seed,
            [
                owner,
                CpuPlan::does([Act::Descheduled(9_000 * US)]),
                CpuPlan::idle(),
            ],
        )
    };
    play(plan, |run| {
        assert_eq!(named(last(run)), [(1, Why::NmiDeaf)]);
        assert_parked_at_last(run, 1);
    });
}

#[test]
fn scenario_46_double_note() {
    let mut times = 0;
    // The interrupt comes at about the time of the non-maskable one, and the save takes its time.
    let plan = |seed| Plan {
        signals: Signals {
            twice: 100,
            late: 100,
            late_by: 250 * US,
            ..Signals::default()
        },
        ..tripped(seed, Place::Saving, Mishap::Sleeps(30 * US))
    };
    play(plan, |run| {
        assert_parked_at_last(run, 1);
        assert_parked_at_last(run, 2);
        times += run.signals[RungKind::NonMaskable as usize - 1];
    });
    assert!(times > 10, "both kinds were under way: {times}");
}

#[test]
fn scenario_47_tick_broadcast_to_parked() {
    let plan = |seed, horizon| Plan {
        signals: STRAYS,
        rungs: [RungKind::Interrupt].into_iter().collect(),
        horizon,
        // What does not arrive in time finds a CPU that is not stopped; here it is about those that are.
        ..Plan::new(
            seed,
            [stops(20 * US, Reason::Panic)]
                .into_iter()
                .chain((0..3).map(|_| CpuPlan::does([Act::Polls(50 * US)]))),
        )
    };
    play(
        |seed| plan(seed, 9_000 * US),
        |run| {
            assert_all_parked(account(run));
            (1..4).for_each(|n| assert_parked_at_last(run, n));
        },
    );
}
