//! The machine as the engine sees it: what an architecture would do with registers, these do with plans and dice.

use smp_stop::smp::{Bound, Limits, Rung, SignalError, SmpStopOps, Targets};
use smp_stop::{CpuId, Point, Registers, RungKind, StopOps};

use crate::cpu::Cpu;
use crate::plan::{Clock, Ns, Place};
use crate::world::Body;

/// How long a signal has to be answered; so little, that a schedule is short.
pub const RUNG: Bound = Bound {
    base_ns: 100_000,
    per_cpu_ns: 2_000,
};

/// The bounds of the other waits.
pub const LIMITS: Limits = Limits {
    arrival: Bound {
        base_ns: 200_000,
        per_cpu_ns: 2_000,
    },
    power_off: Bound {
        base_ns: 50_000,
        per_cpu_ns: 1_000,
    },
    release: Bound {
        base_ns: 50_000,
        per_cpu_ns: 1_000,
    },
    grace_ns: 0,
    stalled_polls: 400,
    total_polls: 2_000,
};

const fn rung(kind: RungKind) -> Rung {
    Rung { kind, bound: RUNG }
}

/// All there can be; a machine has some of them, in this order.
const INTERRUPT: [Rung; 1] = [rung(RungKind::Interrupt)];
const HARD: [Rung; 2] = [rung(RungKind::Interrupt), rung(RungKind::Hardware)];
const ALL: [Rung; 3] = [
    rung(RungKind::Interrupt),
    rung(RungKind::NonMaskable),
    rung(RungKind::Hardware),
];

impl StopOps for Cpu<'_> {
    fn mask_interrupts(&self) {
        self.not_after_ack("masks interrupts");
        self.state().irqs_on.set(false);
    }

    fn this_cpu(&self) -> Option<CpuId> {
        (!self.world.plan.cpus[self.n].unknown).then_some(CpuId::new(self.n as u32))
    }

    fn hw_id(&self) -> u64 {
        // Sparse, as they are.
        0x100 * self.n as u64
    }

    fn now(&self) -> u64 {
        self.world.clock()
    }

    fn relax(&self) {
        self.not_after_ack("waits");
        self.note_relax();
        self.pass(2_000);
        self.passes(Place::Relax);
    }

    fn save_regs(&self, out: &mut Registers) {
        self.not_after_ack("saves its registers");
        self.note_save();
        let n = self.n as u64 + 1;
        out.begin(1, n << 12, n << 20, n << 24);
        for word in 0..4 {
            if word == 2 {
                self.passes(Place::Saving);
            }
            out.push(n * 100 + word);
            self.pass(50);
        }
    }

    fn quiesce(&self) {
        self.not_after_ack("quiesces");
        self.passes(Place::Quiescing);
        self.world.leave_virt(self.n);
        self.pass(500);
    }

    fn park(&self) -> ! {
        self.check_park();
        let state = self.state();
        state.irqs_on.set(false);
        state.body.set(Body::Parked);
        self.world.trace(self.n, format_args!("parks"));
        if self.world.plan.power_off && !self.world.plan.cpus[self.n].power_off_denied {
            self.pass(1_000);
            state.body.set(Body::Off);
        }
        self.idle()
    }

    fn point(&self, at: Point) {
        self.world.trace(self.n, format_args!("{at:?}"));
        self.note_point(at);
        self.pass(match at {
            Point::Asked(_) => 30,
            _ => 100,
        });
        if let Some(place) = Place::of(at) {
            self.passes(place);
        }
    }
}

impl SmpStopOps for Cpu<'_> {
    fn rungs(&self) -> &[Rung] {
        match &*self.world.plan.rungs {
            [] => &[],
            [RungKind::Interrupt] => &INTERRUPT,
            [RungKind::Interrupt, RungKind::Hardware] => &HARD,
            [RungKind::Interrupt, RungKind::NonMaskable] => &ALL[..2],
            _ => &ALL,
        }
    }

    fn signal(&self, rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
        let kind = self.rungs()[rung].kind;
        self.passes(Place::Signal);
        if self.world.plan.signals.refused == Some(kind) {
            return Err(SignalError);
        }
        for target in targets.iter() {
            self.check_target(target, kind);
            self.world.send(target.as_usize(), kind);
        }
        self.pass(500);
        Ok(())
    }

    fn hw_off(&self, cpu: CpuId) -> Option<bool> {
        self.passes(Place::HwOff);
        let (plan, state) = (&self.world.plan, self.world.cpu(cpu.as_usize()));
        let is_off = matches!(state.body.get(), Body::Off | Body::Struck | Body::NeverReleased);
        if state.door.is_early() {
            return Some(false);
        }
        let lags = plan.hw_lags && !state.begun.get();
        let hardware = plan.rungs.contains(&RungKind::Hardware);
        (plan.hw_view || hardware).then_some(is_off || lags)
    }

    fn limits(&self) -> Limits {
        LIMITS
    }
}

/// All the time a stop may take on a machine of so many CPUs, by a clock that runs.
pub fn longest(cpus: usize, rungs: usize, clock: Clock) -> Ns {
    let n = cpus as u32;
    let waits = RUNG.total(n) * (rungs as u64 + 1);
    let rest = LIMITS.arrival.total(n)
        + LIMITS.power_off.total(n)
        + LIMITS.release.total(1)
        + LIMITS.power_off.total(1);
    match clock {
        Clock::Runs => waits + rest,
        // Then it is polls that end a wait, and each takes at most 3 us, or a tick.
        _ => (rungs as u64 + 4) * u64::from(LIMITS.total_polls) * 3_000,
    }
}
