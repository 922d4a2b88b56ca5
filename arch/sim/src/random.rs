//! Plans by the dice: machines of 2 to 64 CPUs in which much goes wrong at once.

use arrayvec::ArrayVec;
use fastrand::Rng;
use smp_stop::{Reason, RungKind};

use crate::plan::{Act, Clock, CpuPlan, MAX_CPUS, Mishap, Ns, Place, Plan, Signals, Start, Trap, US};

/// The plan of a seed.
pub fn plan(seed: u64) -> Plan {
    let mut rng = Rng::with_seed(seed ^ 0x5ca1_ab1e_0ddb_a115);
    let n = cpus(&mut rng);
    let troubled = rng.u8(0..100);
    let mut cpus: ArrayVec<CpuPlan, MAX_CPUS> = (0..n).map(|i| cpu(&mut rng, i, n, troubled)).collect();
    starters(&mut rng, &mut cpus);
    stoppers(&mut rng, &mut cpus);
    let hw_view = rng.u8(0..3) == 0;
    Plan {
        seed,
        cpus,
        rungs: rungs(&mut rng),
        hw_view,
        power_off: hw_view && rng.bool(),
        clock: clock(&mut rng),
        signals: signals(&mut rng, troubled),
        horizon: 30_000 * US,
        hw_lags: rng.bool(),
    }
}

fn cpus(rng: &mut Rng) -> usize {
    match rng.u8(0..10) {
        0..=5 => rng.usize(2..=6),
        6..=7 => rng.usize(7..=16),
        8 => rng.usize(17..=40),
        _ => rng.usize(41..=MAX_CPUS),
    }
}

fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(0..n) == 0
}

/// From a nanosecond to `most`, and as likely in one order of magnitude as in another.
fn span(rng: &mut Rng, most: Ns) -> Ns {
    let bits = most.ilog2();
    let shift = rng.u32(0..=bits.min(16));
    rng.u64(0..=most >> shift)
}

fn cpu(rng: &mut Rng, i: usize, n: usize, troubled: u8) -> CpuPlan {
    let mut cpu = CpuPlan::idle();
    if rng.u8(0..100) >= troubled {
        return cpu;
    }
    if i > 0 {
        cpu.start = start(rng);
    }
    if one_in(rng, 3) {
        let act = act(rng, i, n);
        cpu.acts.push(act);
    }
    cpu.deaf = one_in(rng, 12);
    cpu.power_off_denied = one_in(rng, 8);
    cpu.unknown = one_in(rng, 60);
    if one_in(rng, 12) {
        let trap = trap(rng);
        cpu.traps.push(trap);
    }
    cpu
}

fn start(rng: &mut Rng) -> Start {
    let arrives_after = (!one_in(rng, 4)).then(|| span(rng, 3_000 * US));
    match rng.u8(0..10) {
        0 => Start::Off { arrives_after },
        1 if rng.bool() => Start::Unasked {
            arrives_after: span(rng, 500 * US),
        },
        1..=2 => Start::Starting { arrives_after },
        _ => Start::Online,
    }
}

fn act(rng: &mut Rng, i: usize, n: usize) -> Act {
    match rng.u8(0..9) {
        0 | 1 => Act::Masked(span(rng, 3_000 * US)),
        2 => Act::Polls(span(rng, 1_000 * US)),
        3 => Act::Descheduled(span(rng, 3_000 * US)),
        4 => Act::Deafens,
        5 if i > 0 => Act::Offline(span(rng, 500 * US)),
        6 => Act::Start(rng.u8(1..n as u8)),
        7 => Act::Revoke(rng.u8(1..n as u8)),
        _ => Act::Work(span(rng, 300 * US)),
    }
}

fn trap(rng: &mut Rng) -> Trap {
    Trap {
        at: Place::ALL[rng.usize(0..Place::ALL.len())],
        skip: if rng.bool() { 0 } else { rng.u8(0..4) },
        times: if one_in(rng, 4) { rng.u8(1..6) } else { 1 },
        what: match rng.u8(0..3) {
            0 => Mishap::Hangs,
            1 => Mishap::Faults,
            _ => Mishap::Sleeps(span(rng, 4_000 * US)),
        },
    }
}

/// Some CPUs that are off are started by others, at any time.
fn starters(rng: &mut Rng, cpus: &mut ArrayVec<CpuPlan, MAX_CPUS>) {
    for n in 0..cpus.len() {
        if !matches!(cpus[n].start, Start::Off { .. } | Start::Unasked { .. }) || rng.bool() {
            continue;
        }
        let at = rng.usize(0..cpus.len());
        if cpus[at].acts.len() < 2 {
            let work = Act::Work(span(rng, 200 * US));
            cpus[at].acts.extend([work, Act::Start(n as u8)]);
        }
    }
}

/// At least one CPU stops the machine; some more may, at about the same time or later.
fn stoppers(rng: &mut Rng, cpus: &mut ArrayVec<CpuPlan, MAX_CPUS>) {
    let many = match rng.u8(0..8) {
        0..=3 => 1,
        4..=5 => 2,
        6 => rng.usize(2..=4),
        _ => cpus.len(),
    };
    for k in 0..many.min(cpus.len()) {
        let at = if many == cpus.len() {
            k
        } else {
            rng.usize(0..cpus.len())
        };
        stopper(rng, &mut cpus[at]);
    }
}

fn stopper(rng: &mut Rng, cpu: &mut CpuPlan) {
    if cpu.acts.len() + 3 > cpu.acts.capacity() {
        return;
    }
    // One that is on its way up stops the machine before it gets to the gate, or after.
    if cpu.start == Start::Online || rng.bool() {
        cpu.acts.push(Act::Work(span(rng, 200 * US)));
    }
    cpu.acts.push(Act::Stop(reason(rng)));
    if one_in(rng, 4) {
        cpu.acts.push(Act::Stop(reason(rng)));
    }
    // Some stoppers are tripped up.
    if one_in(rng, 6) && !cpu.traps.is_full() {
        let trap = trap(rng);
        cpu.traps.push(trap);
    }
}

fn reason(rng: &mut Rng) -> Reason {
    [Reason::Reboot, Reason::Panic, Reason::Crash][rng.usize(0..3)]
}

fn rungs(rng: &mut Rng) -> ArrayVec<RungKind, 3> {
    let rungs: &[RungKind] = match rng.u8(0..10) {
        0 => &[],
        1..=2 => &[RungKind::Interrupt],
        3 => &[RungKind::Interrupt, RungKind::Hardware],
        4 => &[RungKind::Interrupt, RungKind::NonMaskable, RungKind::Hardware],
        _ => &[RungKind::Interrupt, RungKind::NonMaskable],
    };
    rungs.iter().copied().collect()
}

fn clock(rng: &mut Rng) -> Clock {
    match rng.u8(0..10) {
        0 => Clock::Stops(span(rng, 300 * US)),
        1 => Clock::Steps(span(rng, 300 * US), rng.i64(-1_000_000_000..1_000_000_000)),
        2 => Clock::Ticks(span(rng, 20 * US)),
        _ => Clock::Runs,
    }
}

fn signals(rng: &mut Rng, troubled: u8) -> Signals {
    if rng.u8(0..100) >= troubled {
        return Signals::default();
    }
    Signals {
        lost: rng.u8(0..30),
        twice: rng.u8(0..30),
        late: rng.u8(0..50),
        late_by: span(rng, 2_000 * US),
        refused: one_in(rng, 5).then_some(RungKind::Interrupt),
    }
}
