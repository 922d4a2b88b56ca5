//! The catalogue of failures, each staged by name on a simulated machine: `cargo test -p sim --test scenarios scenario_13`.
//!
//! What a script leaves open is diced, forty times. The invariants are checked in every run; a scenario adds what is
//! particular to it. A failure names its seed, and `SCENARIO_SEED=N` plays that one alone and tells all that happens.

mod delivery;
mod environment;
mod memory;
mod starting;
mod stoppers;

use sim::check::Account;
use sim::fiber::Stacks;
use sim::plan::{Act, CpuPlan, Mishap, Ns, Place, Plan, Start};
use sim::world::{Body, Run, World};
use smp_stop::report::Row;
use smp_stop::{Reason, RungKind, Why};

/// How often a script is played, with other dice each time.
const TIMES: u64 = 40;

/// Says which seed was being played when a check failed.
struct Playing(u64);

impl Drop for Playing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!(
                "replay with: SCENARIO_SEED={} cargo test -p sim --test scenarios NAME",
                self.0
            );
        }
    }
}

/// Plays the plan with many seeds. The invariants hold in each, and `check` does.
fn play(plan: impl Fn(u64) -> Plan, mut check: impl FnMut(&Run)) {
    let only = std::env::var("SCENARIO_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..TIMES, |seed: u64| seed..seed + 1);
    let mut stacks = Stacks::default();
    for seed in seeds {
        let _seed = Playing(seed);
        let run = World::new(plan(seed), only.is_some()).run(&mut stacks);
        assert_eq!(run.failure, None);
        check(&run);
    }
}

/// CPUs that idle.
fn idle(n: usize) -> impl Iterator<Item = CpuPlan> {
    (0..n).map(|_| CpuPlan::idle())
}

/// A CPU that works so long and stops the machine then.
fn stops(after: Ns, reason: Reason) -> CpuPlan {
    CpuPlan::does([Act::Work(after), Act::Stop(reason)])
}

/// A CPU that has its interrupts off for good, and takes no others either.
fn deaf() -> CpuPlan {
    let mut cpu = CpuPlan::does([Act::Deafens]);
    cpu.deaf = true;
    cpu
}

/// A CPU on its way up, at the gate so long after the machine began.
fn arriving(after: impl Into<Option<Ns>>) -> CpuPlan {
    CpuPlan::idle().from(Start::Starting {
        arrives_after: after.into(),
    })
}

/// What the only owner was told.
fn account(run: &Run) -> &Account {
    assert_eq!(run.accounts.len(), 1, "one CPU returns: {:?}", run.accounts);
    &run.accounts[0]
}

fn last(run: &Run) -> &Account {
    run.accounts.last().expect("somebody owns the stop")
}

/// Who was named, and why.
fn named(account: &Account) -> Vec<(usize, Why)> {
    let why = |row: &Row| Some((row.cpu.as_usize(), row.silent?));
    account.rows.iter().filter_map(why).collect()
}

/// Everybody but the owner parked, with registers, at the time of the account.
fn assert_all_parked(account: &Account) {
    let others = account
        .rows
        .iter()
        .filter(|row| row.cpu.as_usize() != account.owner);
    for row in others {
        assert!(row.is_parked() && row.has_registers, "{row:?}");
    }
    assert!(account.stopped);
}

/// CPU `n` stands still at last, having saved its registers once.
fn assert_parked_at_last(run: &Run, n: usize) {
    let end = &run.ends[n];
    assert!(end.row.is_parked() && end.row.has_registers, "{end:?}");
    assert!(matches!(end.body, Body::Parked | Body::Off), "{end:?}");
    assert_eq!(end.saves, 1, "{end:?}");
}

/// How many signals of a kind were sent.
fn sent(run: &Run, kind: RungKind) -> u32 {
    run.signals[kind as usize - 1]
}

/// Places an owner passes in any stop in which somebody is waited for.
const OWNER_PLACES: [Place; 7] = [
    Place::Elected,
    Place::Asked,
    Place::Signal,
    Place::Signalled,
    Place::Relax,
    Place::Released,
    Place::Finishing,
];

/// The same trap at the same place, over and over.
fn trapped_for_ever(mut cpu: CpuPlan, at: Place, what: Mishap) -> CpuPlan {
    cpu = cpu.trapped(at, what);
    cpu.traps[0].times = u8::MAX;
    cpu
}
