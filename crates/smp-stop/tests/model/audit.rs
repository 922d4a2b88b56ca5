//! The invariants, checked when all CPUs have come to their end.

use smp_stop::report::Row;
use smp_stop::{CpuState, Hold, How, Reason, Report, Why};

use crate::N;
use crate::machine::{Account, Fate, Machine};

/// What a model promises beyond what always holds.
pub struct Expect {
    /// The highest reason anybody stopped the machine for; `None` where a call may not have happened.
    pub reason: Option<Reason>,
    /// Whether some CPU must end up as the owner.
    pub owned: bool,
    /// Whether an owner may come again when its stop is over.
    pub comes_again: bool,
}

/// Checks I1 to I4 and I7.
pub fn audit(machine: &Machine, fates: &[Fate; N], expect: &Expect) {
    let hold = machine_hold(machine);
    let owners = owners(fates);
    assert!(
        !expect.owned || !owners.is_empty(),
        "progress: nobody owns the stop: {fates:?}"
    );
    if let Some(reason) = expect.reason {
        assert_eq!(
            hold.map(|hold| hold.reason),
            Some(reason),
            "I4: the reason: {fates:?}"
        );
    }
    assert!(
        machine.saves().iter().all(|saves| *saves <= 1),
        "I4: registers saved twice: {:?}",
        machine.saves()
    );
    for (cpu, account) in &owners {
        check_account(*cpu, account, fates);
    }
    if let Some((_, last)) = owners.last() {
        let anybody = last.rows.iter().any(|row| row.silent.is_some());
        assert_eq!(last.stopped, !anybody, "I1: verdict and account differ: {last:?}");
    }
    check_owners(&owners, hold, expect.comes_again);
}

fn machine_hold(machine: &Machine) -> Option<Hold> {
    Report::of(&machine.area).summary().hold
}

fn owners(fates: &[Fate; N]) -> Vec<(usize, &Account)> {
    let mut owners: Vec<(usize, &Account)> = Vec::new();
    for (cpu, fate) in fates.iter().enumerate() {
        if let Fate::Owns(account) = fate {
            owners.push((cpu, account));
        }
    }
    owners.sort_by_key(|(_, account)| account.generation);
    owners
}

/// I1: what the owner was told is true of every CPU that did not change since in the one way it may: by parking. A CPU
/// that was silent may have taken the stop away between the result and the look at the rows.
fn check_account(owner: usize, account: &Account, fates: &[Fate; N]) {
    for (cpu, fate) in fates.iter().enumerate().filter(|(cpu, _)| *cpu != owner) {
        let row = &account.rows[cpu];
        let released = row.view.is_none_or(|view| view.was_released());
        let named = row.silent.is_some() || row.owner;
        let off = is_off(row);
        assert!(
            !released || named || off || row.is_parked(),
            "I1: CPU {cpu} is not accounted for: {account:#?} {fates:?}"
        );
        let refused = matches!(row.silent, Some(Why::StartingLost | Why::Lost));
        assert!(
            !refused || !matches!(fate, Fate::Runs),
            "the gate let CPU {cpu} through: {row:?}"
        );
        let stands = matches!(fate, Fate::Parked);
        assert!(
            stands || named,
            "I1: CPU {cpu} runs and is not named: {fate:?} {row:?}"
        );
    }
}

fn is_off(row: &Row) -> bool {
    row.view.is_some_and(|view| view.state == CpuState::Off)
}

/// I2: one owner for each generation, and the last one holds the latch.
fn check_owners(owners: &[(usize, &Account)], hold: Option<Hold>, comes_again: bool) {
    for pair in owners.windows(2) {
        let (a, b) = (pair[0].1, pair[1].1);
        assert_ne!(a.generation, b.generation, "I2: two owners: {a:?} {b:?}");
    }
    let Some((cpu, last)) = owners.last() else { return };
    let hold = hold.unwrap();
    let owner = hold.owner.cpu().map(|cpu| cpu.as_usize());
    let ended = hold.generation == last.generation;
    assert!(
        !ended || owner == Some(*cpu),
        "I2: CPU {cpu} returned, but {owner:?} owns the stop"
    );
    assert!(comes_again || last.how != How::AlreadyDone, "nobody came again");
}
