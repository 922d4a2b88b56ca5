//! What the engine promises its callers, on machines of one CPU that need no simulator.

use std::cell::Cell;

use smp_stop::smp::{self, Rung, SignalError, SmpStopOps, Targets};
use smp_stop::{CpuId, How, Outcome, Reason, Registers, StopArea, StopOps, Why, up};

/// The only CPU that executes. It is moved to CPU 1 while its interrupts are on.
struct Lone {
    id: u32,
    movable: Cell<bool>,
    asked_while_movable: Cell<bool>,
    known: bool,
}

impl Lone {
    fn new(id: u32) -> Self {
        Self {
            id,
            movable: Cell::new(false),
            asked_while_movable: Cell::new(false),
            known: true,
        }
    }
}

impl StopOps for Lone {
    fn mask_interrupts(&self) {
        self.movable.set(false);
    }
    fn this_cpu(&self) -> Option<CpuId> {
        if self.movable.get() {
            self.asked_while_movable.set(true);
        }
        self.known.then_some(CpuId::new(self.id))
    }
    fn hw_id(&self) -> u64 {
        0x8000_0100
    }
    fn now(&self) -> u64 {
        0
    }
    fn relax(&self) {}
    fn save_regs(&self, out: &mut Registers) {
        out.begin(0, 1, 2, 3);
    }
    fn quiesce(&self) {}
    fn park(&self) -> ! {
        panic!("the only CPU parks");
    }
}

impl SmpStopOps for Lone {
    fn rungs(&self) -> &[Rung] {
        &[]
    }
    fn signal(&self, _rung: usize, _targets: &Targets<'_>) -> Result<(), SignalError> {
        unreachable!("there are no rungs")
    }
}

/// Scenario 25: whoever looks up its number before its interrupts are off may be another CPU by then.
#[test]
fn a_caller_that_is_moved_is_the_cpu_it_was_moved_to() {
    let (area, cpu) = (StopArea::<2>::new(), Lone::new(1));
    cpu.movable.set(true);
    let stop = smp::Engine::new(&area, &cpu).stop(Reason::Panic);
    assert!(stop.outcome.is_stopped());
    assert!(!cpu.asked_while_movable.get());
}

/// Scenario 48: no CPU was started, no signal can be sent, the clock stands at 0, and nobody knows who asks.
#[test]
fn a_machine_that_has_nothing_yet_is_stopped_at_once() {
    let area = StopArea::<512>::new();
    let cpu = Lone {
        known: false,
        ..Lone::new(0)
    };
    let stop = smp::Engine::new(&area, &cpu).stop(Reason::Panic);
    assert!(stop.outcome.is_stopped());
    assert_eq!(stop.how, How::First);
    let again = smp::Engine::new(&area, &cpu).stop(Reason::Reboot);
    assert_eq!(again.how, How::AlreadyDone, "its hardware id tells who it is");
    assert_eq!(
        stop.report.summary().hold.map(|hold| hold.reason),
        Some(Reason::Panic)
    );
}

/// Scenario 49: the same calls, the same report.
#[test]
fn one_cpu_has_the_same_report() {
    let (one, many) = (StopArea::<1>::new(), StopArea::<1>::new());
    let cpu = Lone::new(0);
    for area in [&one, &many] {
        area.area().set_hw_id(CpuId::BOOT, cpu.hw_id());
        area.area().word(CpuId::BOOT).unwrap().boot_cpu_online().unwrap();
    }
    let up = up::Engine::new(&one, &cpu).stop(Reason::Panic);
    let smp = smp::Engine::new(&many, &cpu).stop(Reason::Panic);
    assert_eq!(up.report.to_string(), smp.report.to_string());
    assert_eq!(up.report.summary(), smp.report.summary());
    assert_eq!(
        (up.how, up.outcome.to_string()),
        (smp.how, smp.outcome.to_string())
    );

    let (up, smp) = (up::Engine::new(&one, &cpu), smp::Engine::new(&many, &cpu));
    for reason in [Reason::Reboot, Reason::Crash] {
        assert_eq!(up.stop(reason).how, How::AlreadyDone);
        assert_eq!(smp.stop(reason).how, How::AlreadyDone);
    }
    assert_eq!(one.area().hold(), many.area().hold());
}

/// A stop by the last CPU of an area, with one that never arrives.
fn last_of<const N: usize>() {
    let area = Box::new(StopArea::<N>::new());
    let cpu = Lone::new(N as u32 - 1);
    if N > 1 {
        let _ = area.area().word(CpuId::BOOT).unwrap().begin_start().unwrap();
    }
    let stop = smp::Engine::new(&*area, &cpu).stop(Reason::Panic);
    let rows = stop.report.rows();
    assert_eq!(rows.clone().count(), N);
    assert!(rows.clone().last().is_some_and(|row| row.owner));
    let silent: Vec<_> = rows.filter_map(|row| Some((row.cpu, row.silent?))).collect();
    match stop.outcome {
        Outcome::Stopped => assert!(N == 1 && silent.is_empty()),
        _ => assert_eq!(silent, [(CpuId::BOOT, Why::StartingLost)]),
    }
}

/// Scenario 51, beyond what the simulator holds.
#[test]
fn areas_of_any_size_account_for_their_last_cpu() {
    last_of::<1>();
    last_of::<2>();
    last_of::<63>();
    last_of::<64>();
    last_of::<65>();
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(last_of::<{ smp_stop::MAX_CPUS }>)
        .unwrap()
        .join()
        .unwrap();
}
