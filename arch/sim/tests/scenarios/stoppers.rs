//! Section B of the catalogue: several who stop the machine, and owners that fail.

use sim::plan::{Act, CpuPlan, Mishap, Ns, Place, Plan, US};
use sim::world::Run;
use smp_stop::{How, Reason, RungKind, Unavailable, Via, Why};

use crate::{
    OWNER_PLACES, account, assert_all_parked, assert_parked_at_last, deaf, idle, last, named, play, sent,
    stops, trapped_for_ever,
};

/// CPU 0 stops the machine and is trapped on the way; two others idle.
fn trapped_owner(seed: u64, at: Place, what: Mishap) -> Plan {
    let owner = stops(20 * US, Reason::Panic).trapped(at, what);
    Plan::new(seed, [owner].into_iter().chain(idle(2)))
}

#[test]
fn scenario_11_double_panic() {
    for skew in (0..=2_000).step_by(100).chain(990..1_010) {
        let plan = |seed| {
            let other = stops(skew * US, Reason::Panic);
            Plan::new(seed, [stops(1_000 * US, Reason::Panic), other, CpuPlan::idle()])
        };
        play(plan, |run| {
            let account = account(run);
            assert_all_parked(account);
            assert_parked_at_last(run, 1 - account.owner);
        });
    }
}

#[test]
fn scenario_12_panic_storm() {
    play(
        |seed| Plan::new(seed, (0..64).map(|_| stops(20 * US, Reason::Panic))),
        |run| {
            let account = account(run);
            assert_all_parked(account);
            assert_eq!(account.rows.len(), 64);
        },
    );
}

/// CPU 0 reboots and is held up at a place; CPU 1 crashes meanwhile.
fn crash_meets_reboot(seed: u64, held_up_at: Place, crash: CpuPlan) -> Plan {
    let reboot = stops(20 * US, Reason::Reboot).trapped(held_up_at, Mishap::Sleeps(60 * US));
    Plan::new(seed, [reboot, crash, CpuPlan::idle()])
}

fn assert_crash_took_over(run: &Run) {
    let account = account(run);
    assert_eq!((account.owner, account.how), (1, How::Raised));
    assert_eq!(run.reason, Some(Reason::Crash));
    assert_all_parked(account);
    assert_parked_at_last(run, 0);
}

#[test]
fn scenario_13_reboot_then_crash() {
    // Before the signal is sent.
    for place in [Place::Elected, Place::Asked, Place::Signal] {
        let plan = |seed| crash_meets_reboot(seed, place, stops(50 * US, Reason::Crash));
        play(plan, assert_crash_took_over);
    }
    // In the wait: the signal is pending.
    let masked = CpuPlan::does([Act::Masked(60 * US), Act::Stop(Reason::Crash)]);
    play(
        |seed| crash_meets_reboot(seed, Place::Signalled, masked.clone()),
        |run| {
            assert_crash_took_over(run);
            assert_eq!(run.ends[0].row.via, Some(Via::Handover));
        },
    );
}

#[test]
fn scenario_13_reboot_then_crash_after_done() {
    let plan = |seed| {
        let mut survivor = CpuPlan::does([Act::Masked(3_000 * US), Act::Stop(Reason::Crash)]);
        survivor.deaf = true;
        Plan::new(seed, [stops(20 * US, Reason::Reboot), survivor, CpuPlan::idle()])
    };
    play(plan, |run| {
        let [reboot, crash] = &run.accounts[..] else {
            panic!("two CPUs return, one after the other: {:?}", run.accounts)
        };
        assert_eq!(named(reboot), [(1, Why::NmiDeaf)]);
        assert_eq!((crash.owner, crash.how), (1, How::Raised));
        assert_all_parked(crash);
    });
}

#[test]
fn scenario_14_crash_then_reboot() {
    let plan = |seed| {
        let mut rebooter = CpuPlan::does([Act::Masked(7_000 * US), Act::Stop(Reason::Reboot)]);
        rebooter.deaf = true;
        Plan::new(seed, [stops(20 * US, Reason::Crash), rebooter, CpuPlan::idle()])
    };
    play(plan, |run| {
        assert_eq!(named(account(run)), [(1, Why::NmiDeaf)]);
        assert_eq!(run.reason, Some(Reason::Crash));
        assert_parked_at_last(run, 1);
        assert_eq!(run.ends[1].row.why(), Some(Why::Late));
    });
}

#[test]
fn scenario_15_double_reboot() {
    let plan = |seed| {
        let reboot = || stops(20 * US, Reason::Reboot);
        Plan::new(seed, [reboot(), reboot(), CpuPlan::idle()])
    };
    play(plan, |run| {
        assert_all_parked(account(run));
        assert_eq!(run.reason, Some(Reason::Reboot));
    });
}

#[test]
fn scenario_16_plain_stop_done_then_crash() {
    let plan = |seed| {
        let owner = CpuPlan::does([
            Act::Stop(Reason::Reboot),
            Act::Work(100 * US),
            Act::Stop(Reason::Crash),
        ]);
        Plan::new(seed, [owner].into_iter().chain(idle(7)))
    };
    play(plan, |run| {
        let [plain, crash] = &run.accounts[..] else {
            panic!("it returns twice: {:?}", run.accounts)
        };
        assert_eq!((plain.how, crash.how), (How::First, How::AlreadyDone));
        assert_all_parked(crash);
        assert_eq!(run.reason, Some(Reason::Crash));
    });
}

#[test]
fn scenario_17_plain_stop_in_flight_then_crash() {
    let mut owners = [0; 2];
    for after in 0..60 {
        let plan = |seed| {
            let crash = stops(after * US, Reason::Crash);
            let reboot = stops(20 * US, Reason::Reboot);
            Plan::new(seed, [reboot, crash].into_iter().chain(idle(4)))
        };
        play(plan, |run| {
            let account = account(run);
            assert_all_parked(account);
            let crashed = run.reason == Some(Reason::Crash);
            assert_eq!(crashed, account.owner == 1, "who crashes owns the stop");
            owners[account.owner] += 1;
        });
    }
    assert!(
        owners[0] > 100 && owners[1] > 100,
        "both come first at times: {owners:?}"
    );
}

#[test]
fn scenario_18_owner_reenters() {
    for place in OWNER_PLACES {
        play(
            |seed| trapped_owner(seed, place, Mishap::Faults),
            |run| {
                let account = account(run);
                assert_eq!((account.owner, account.how), (0, How::Reentered));
                assert_all_parked(account);
            },
        );
    }
    // It has returned, and fails while it reports.
    play(
        |seed| trapped_owner(seed, Place::Reporting, Mishap::Faults),
        |run| {
            assert_eq!(run.accounts.len(), 2);
            assert_eq!(last(run).how, How::AlreadyDone);
            assert_all_parked(last(run));
        },
    );
}

#[test]
fn scenario_18_owner_fails_for_ever() {
    for place in OWNER_PLACES {
        let plan = |seed| {
            let owner = trapped_for_ever(stops(20 * US, Reason::Panic), place, Mishap::Faults);
            Plan::new(seed, [owner].into_iter().chain(idle(2)))
        };
        play(plan, |run| {
            let account = account(run);
            assert_eq!((account.owner, account.how), (0, How::Reentered));
            // Some places it need not pass again, if the others have stopped meanwhile.
            let passes_again = !matches!(place, Place::Signalled | Place::Relax);
            if passes_again || !account.stopped {
                assert_eq!(account.unavailable, Some(Unavailable::Reentered));
            }
        });
    }
}

/// The owner comes again after its stop.
fn again(first: Reason, second: Reason) -> impl Fn(u64) -> Plan {
    move |seed| {
        let owner = CpuPlan::does([Act::Stop(first), Act::Work(50 * US), Act::Stop(second)]);
        Plan::new(seed, [owner].into_iter().chain(idle(2)))
    }
}

#[test]
fn scenario_19_panic_timeout_restart() {
    play(again(Reason::Panic, Reason::Reboot), |run| {
        assert_eq!(last(run).how, How::AlreadyDone);
        assert_eq!(run.reason, Some(Reason::Panic), "it never falls");
        assert_all_parked(last(run));
    });
}

#[test]
fn scenario_20_failed_reboot_then_panic() {
    play(again(Reason::Reboot, Reason::Panic), |run| {
        assert_eq!(last(run).how, How::AlreadyDone);
        assert_eq!(run.reason, Some(Reason::Panic));
        assert_all_parked(last(run));
    });
}

#[test]
fn scenario_21_irq_panics_after_election() {
    for place in [Place::Elected, Place::Released] {
        play(
            |seed| trapped_owner(seed, place, Mishap::Faults),
            |run| assert_all_parked(account(run)),
        );
    }
}

#[test]
fn scenario_22_nmi_panics_owner_mid_election() {
    play(
        |seed| trapped_owner(seed, Place::Signal, Mishap::Faults),
        |run| {
            assert_all_parked(account(run));
            // The hook that failed is not trusted again while there is another.
            assert_eq!(sent(run, RungKind::Interrupt), 0);
            assert_eq!(sent(run, RungKind::NonMaskable), 2);
        },
    );
}

fn assert_taken_over(run: &Run) {
    let account = account(run);
    assert_eq!(account.how, How::TookOver);
    assert_ne!(account.owner, 0);
    assert_eq!(named(account), [(0, Why::OwnerDied)]);
}

#[test]
fn scenario_23_owner_dies() {
    for place in [Place::Signalled, Place::Relax] {
        let plan = |seed| {
            let mut plan = trapped_owner(seed, place, Mishap::Hangs);
            plan.cpus[0].deaf = true;
            // Somebody is waited for in any case.
            plan.cpus[2] = CpuPlan::does([Act::Masked(80 * US)]);
            plan
        };
        play(plan, assert_taken_over);
    }
    // Before any signal: whoever looks at its own word takes its place.
    for place in [Place::Asked, Place::Signal] {
        let plan = |seed| {
            let mut plan = trapped_owner(seed, place, Mishap::Hangs);
            plan.cpus[0].deaf = true;
            plan.cpus[1] = CpuPlan::does([Act::Polls(5_000 * US)]);
            plan
        };
        play(plan, assert_taken_over);
    }
    // What hangs with its interrupts off may be got out of there by force, to park.
    play(
        |seed| trapped_owner(seed, Place::Signalled, Mishap::Hangs),
        |run| assert_all_parked(account(run)),
    );
}

#[test]
fn scenario_23_owner_is_only_slow() {
    let plan = |seed, sleeps: Ns| trapped_owner(seed, Place::Signalled, Mishap::Sleeps(sleeps));
    play(
        |seed| plan(seed, 300 * US),
        |run| {
            assert_eq!((account(run).owner, account(run).how), (0, How::First));
            assert_all_parked(account(run));
        },
    );
    // So slow that it must be taken for dead: it finds out when it wakes, and parks.
    play(
        |seed| plan(seed, 8_000 * US),
        |run| {
            assert_eq!(account(run).how, How::TookOver);
            assert_parked_at_last(run, 0);
        },
    );
}

#[test]
fn scenario_24_redirect_target_dead() {
    let plan = |seed| Plan::new(seed, [deaf(), stops(20 * US, Reason::Crash), CpuPlan::idle()]);
    play(plan, |run| {
        assert_eq!(account(run).owner, 1);
        assert_eq!(named(account(run)), [(0, Why::NmiDeaf)]);
    });
}
