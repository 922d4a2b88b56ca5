//! Section C of the catalogue: signals that do not arrive as they should, and what is done then.

use sim::ops::{LIMITS, longest};
use sim::plan::{Act, Clock, CpuPlan, Ns, Plan, Signals, US};
use sim::world::Body;
use smp_stop::{Reason, RungKind, Unavailable, Via, Why};

use crate::{
    account, arriving, assert_all_parked, assert_parked_at_last, deaf, idle, named, play, sent, stops,
};

const POLITE: &[RungKind] = &[RungKind::Interrupt];
const HARD: &[RungKind] = &[RungKind::Interrupt, RungKind::Hardware];
const ALL: &[RungKind] = &[RungKind::Interrupt, RungKind::NonMaskable, RungKind::Hardware];

/// CPU 0 panics; CPU 1 is `other`; CPU 2 idles.
fn machine(seed: u64, other: CpuPlan) -> Plan {
    Plan::new(seed, [stops(20 * US, Reason::Panic), other, CpuPlan::idle()])
}

fn with(plan: Plan, rungs: &[RungKind], signals: Signals) -> Plan {
    Plan {
        rungs: rungs.iter().copied().collect(),
        signals,
        ..plan
    }
}

fn masked(ns: Ns) -> CpuPlan {
    CpuPlan::does([Act::Masked(ns)])
}

#[test]
fn scenario_26_irq_off_short() {
    play(
        |seed| machine(seed, masked(70 * US)),
        |run| {
            assert_all_parked(account(run));
            assert_eq!(run.ends[1].row.via, Some(Via::Signal(RungKind::Interrupt)));
            assert_eq!(sent(run, RungKind::NonMaskable), 0, "force was used");
        },
    );
}

#[test]
fn scenario_27_irq_off_forever() {
    let off = || CpuPlan::does([Act::Deafens]);
    play(
        |seed| machine(seed, off()),
        |run| {
            assert_all_parked(account(run));
            assert_eq!(run.ends[1].row.via, Some(Via::Signal(RungKind::NonMaskable)));
            assert_eq!(sent(run, RungKind::NonMaskable), 1, "to it alone");
        },
    );
    play(
        |seed| with(machine(seed, off()), POLITE, Signals::default()),
        |run| assert_eq!(named(account(run)), [(1, Why::IrqOff)]),
    );
}

#[test]
fn scenario_28_nmi_deaf() {
    play(
        |seed| machine(seed, deaf()),
        |run| assert_eq!(named(account(run)), [(1, Why::NmiDeaf)]),
    );
    // Where hardware can stop a CPU without its help, that gets it.
    play(
        |seed| with(machine(seed, deaf()), HARD, Signals::default()),
        |run| {
            assert!(account(run).stopped);
            assert_eq!(sent(run, RungKind::Hardware), 1);
        },
    );
}

#[test]
fn scenario_29_ipi_lost_once() {
    // No interrupt arrives, and one in ten of the non-maskable ones is lost as well.
    let lost = Signals {
        lost: 100,
        ..Signals::default()
    };
    let mut struck = 0;
    play(
        |seed| with(machine(seed, CpuPlan::idle()), ALL, lost),
        |run| {
            assert!(account(run).stopped);
            assert_eq!(sent(run, RungKind::Interrupt), 2);
            assert_eq!(sent(run, RungKind::NonMaskable), 2);
            struck += sent(run, RungKind::Hardware);
        },
    );
    assert!(struck < 20, "most were stopped by the second signal: {struck}");
}

#[test]
fn scenario_30_ipi_duplicated() {
    let twice = Signals {
        twice: 100,
        late: 50,
        late_by: 20 * US,
        ..Signals::default()
    };
    play(
        |seed| with(machine(seed, CpuPlan::idle()), POLITE, twice),
        |run| {
            assert_all_parked(account(run));
            assert_parked_at_last(run, 1);
            assert_parked_at_last(run, 2);
        },
    );
}

#[test]
fn scenario_31_ipi_reordered_with_nmi() {
    let late = Signals {
        late: 100,
        late_by: 400 * US,
        ..Signals::default()
    };
    let mut by_nmi = 0;
    play(
        |seed| {
            let kinds = [RungKind::Interrupt, RungKind::NonMaskable];
            with(machine(seed, CpuPlan::idle()), &kinds, late)
        },
        |run| {
            account(run);
            assert_parked_at_last(run, 1);
            by_nmi += u32::from(run.ends[1].row.via == Some(Via::Signal(RungKind::NonMaskable)));
        },
    );
    assert!((10..40).contains(&by_nmi), "each came first at times: {by_nmi}");
}

#[test]
fn scenario_32_ack_from_non_target() {
    // CPU 2 parks at the gate long before CPU 1, which was asked by a signal, answers it.
    let plan = |seed| {
        let stopper = stops(20 * US, Reason::Panic);
        Plan::new(seed, [stopper, masked(100 * US), arriving(40 * US)])
    };
    play(plan, |run| {
        let account = account(run);
        assert_all_parked(account);
        assert_eq!(account.rows[2].via, Some(Via::Gate));
        assert!(account.at > 100 * US, "the wait ended early, at {}", account.at);
    });
}

#[test]
fn scenario_33_rendezvous_spin() {
    let everybody = |seed, act: Act, rungs| {
        let others = (0..3).map(|_| CpuPlan::does([act]));
        let stopper = stops(20 * US, Reason::Panic);
        with(
            Plan::new(seed, [stopper].into_iter().chain(others)),
            rungs,
            Signals::default(),
        )
    };
    // Whoever looks at its word while it spins needs no force.
    play(
        |seed| everybody(seed, Act::Polls(9_000 * US), POLITE),
        |run| {
            assert_all_parked(account(run));
            assert_eq!(run.ends[1].row.via, Some(Via::Poll));
        },
    );
    play(
        |seed| everybody(seed, Act::Masked(9_000 * US), ALL),
        |run| {
            assert_all_parked(account(run));
            assert_eq!(sent(run, RungKind::NonMaskable), 3);
        },
    );
}

#[test]
fn scenario_35_vcpu_descheduled() {
    // Two thousand times as long as a signal may take.
    let plan = |seed| Plan {
        horizon: 400_000 * US,
        ..machine(seed, CpuPlan::does([Act::Descheduled(200_000 * US)]))
    };
    play(plan, |run| {
        assert_eq!(named(account(run)), [(1, Why::NmiDeaf)]);
        assert_parked_at_last(run, 1);
        assert_eq!(run.ends[1].row.why(), Some(Why::Late));
        assert_eq!(run.ends[2].row, account(run).rows[2]);
    });
}

#[test]
fn scenario_36_nmi_handler_registration_fails() {
    let refused = |kind| Signals {
        refused: Some(kind),
        ..Signals::default()
    };
    let off = CpuPlan::does([Act::Deafens]);
    play(
        |seed| {
            let plan = machine(seed, off.clone());
            let rungs = [RungKind::Interrupt, RungKind::NonMaskable];
            with(plan, &rungs, refused(RungKind::NonMaskable))
        },
        |run| {
            // Not "deaf": nothing non-maskable was sent.
            assert_eq!(named(account(run)), [(1, Why::IrqOff)]);
            assert_eq!(account(run).unavailable, None);
        },
    );
    play(
        |seed| with(machine(seed, off.clone()), POLITE, refused(RungKind::Interrupt)),
        |run| {
            assert_eq!(account(run).unavailable, Some(Unavailable::NoSignal));
            assert_eq!(named(account(run)), [(1, Why::NoSignal), (2, Why::NoSignal)]);
            let waited = account(run).at - 20 * US;
            assert!(
                waited < LIMITS.arrival.base_ns,
                "nothing was sent, nothing is waited for"
            );
        },
    );
}

#[test]
fn scenario_37_boot_cpu_special() {
    let plan = |seed| {
        let others = idle(3).chain([stops(20 * US, Reason::Reboot)]);
        with(Plan::new(seed, others), HARD, Signals::default())
    };
    play(plan, |run| {
        assert_eq!(account(run).owner, 3);
        assert_all_parked(account(run));
        assert_eq!(
            sent(run, RungKind::Hardware),
            0,
            "the boot CPU is struck by what may reset the machine"
        );
    });
}

/// A hypervisor's CPU that does this.
fn virt(act: Act) -> CpuPlan {
    CpuPlan {
        virt: true,
        ..CpuPlan::does([act])
    }
}

#[test]
fn scenario_38_virt_root_blocks_init() {
    let hard = |seed, cpu| with(machine(seed, cpu), HARD, Signals::default());
    // Nothing else reaches CPU 1, and the hard stop is held back: it is named, and in time.
    play(
        |seed| hard(seed, virt(Act::Deafens)),
        |run| {
            assert_eq!(named(account(run)), [(1, Why::HardwareDeaf)]);
            assert_eq!(sent(run, RungKind::Hardware), 1);
            assert_eq!(run.ends[1].body, Body::Runs);
            assert!(account(run).at - 20 * US < longest(3, HARD.len(), Clock::Runs));
        },
    );
    // The control: without that mode the hard stop gets it.
    play(
        |seed| hard(seed, CpuPlan::does([Act::Deafens])),
        |run| {
            assert!(account(run).stopped);
            assert_eq!(run.ends[1].body, Body::Struck);
        },
    );
    // A CPU that takes any signal leaves the mode before it says that it stands still, and needs no hard stop.
    play(
        |seed| with(machine(seed, virt(Act::Deafens)), ALL, Signals::default()),
        |run| {
            assert_all_parked(account(run));
            assert_eq!(run.ends[1].row.via, Some(Via::Signal(RungKind::NonMaskable)));
            assert_eq!(sent(run, RungKind::Hardware), 0);
        },
    );
    // One that does so after it was given up is stopped by what was held back.
    play(
        |seed| hard(seed, virt(Act::Masked(2_000 * US))),
        |run| {
            assert_eq!(named(account(run)), [(1, Why::HardwareDeaf)]);
            assert_eq!(run.ends[1].body, Body::Struck);
        },
    );
}
