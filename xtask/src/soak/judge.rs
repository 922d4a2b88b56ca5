//! Whether a run came to the end it was told to come to, with every CPU accounted for.

use std::collections::BTreeSet;

use super::plan::{Ending, Plan};
use crate::vm::Outcome;
use crate::vm::judge::End;
use crate::vm::record::{Record, last};

/// What one run is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the machine was stopped.
    pub stopped: bool,
    /// Whether some CPU was named as silent.
    pub partial: bool,
    /// Of a machine whose only stop signal is the interrupt, and which did not stay: a CPU was named that nothing had been done
    /// to. It was slow, one would think; nobody could look.
    pub doubtful: bool,
    pub audited: bool,
    /// How long the stop took, by the guest's clock, where there was anybody to stop.
    pub took_ns: Option<u64>,
    pub wrong: Option<String>,
}

/// Judges a run.
pub fn judge(plan: &Plan, outcome: &Outcome) -> Judgement {
    let stop = last(&outcome.records, "stop");
    let checked = check(plan, outcome, stop);
    Judgement {
        stopped: stop.is_some(),
        partial: stop.is_some_and(|stop| stop.get("state") != Some("stopped")),
        audited: outcome.audit.is_some(),
        took_ns: stop
            .filter(|_| plan.smp && plan.cpus > 1)
            .and_then(|stop| stop.number("took_ns")),
        doubtful: checked == Ok(Account::Doubtful),
        wrong: checked.err(),
    }
}

/// What those that were named come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    Explained,
    Doubtful,
}

fn check(plan: &Plan, outcome: &Outcome, stop: Option<&Record>) -> Result<Account, String> {
    end(plan, outcome)?;
    let stop = stop.ok_or("there is no @stop line")?;
    account(plan, outcome, stop)
}

fn end(plan: &Plan, outcome: &Outcome) -> Result<(), String> {
    let found = outcome.end;
    let allowed =
        |ending: &Ending| ending.end() == found || (*ending == Ending::Panic && found == End::PanicPartial);
    // The first to end it had told its last word when a higher reason came: the machine does what the first said.
    let overtaken = found == End::Contradiction
        && outcome.detail.is_empty()
        && plan.ends.len() > 1
        && plan.ends.contains(&Ending::Panic);
    if plan.ends.iter().any(allowed) || overtaken {
        return Ok(());
    }
    let detail = match outcome.detail.as_str() {
        "" => String::new(),
        detail => format!(" ({detail})"),
    };
    Err(format!("{}{detail}; expected: {:?}", found.describe(), plan.ends))
}

/// Whoever is named is one of those that nothing could reach, and where nothing can reach them all of them are. A CPU that
/// was only slow is named, too, and stands in the park page by the time of the audit.
fn account(plan: &Plan, outcome: &Outcome, stop: &Record) -> Result<Account, String> {
    let silent = stop.get("silent").unwrap_or_default();
    let named = cpus(silent).ok_or_else(|| format!("silent={silent} makes no sense"))?;
    let unreachable = match plan.has_one_rung() {
        true => plan.deaf.clone(),
        false => BTreeSet::new(),
    };
    let late = |cpu: &u32| {
        let audit = outcome.audit.as_ref();
        audit.is_some_and(|audit| audit.parked().any(|parked| parked == *cpu))
    };
    let unexplained: Vec<u32> = named
        .difference(&unreachable)
        .copied()
        .filter(|cpu| !late(cpu))
        .collect();
    let doubtful = !unexplained.is_empty() && plan.has_one_rung() && outcome.audit.is_none();
    if !unexplained.is_empty() && !doubtful {
        return Err(format!("named without a reason: {unexplained:?}"));
    }
    let missed: Vec<u32> = unreachable.difference(&named).copied().collect();
    if !missed.is_empty() {
        return Err(format!("cannot have been stopped, and not named: {missed:?}"));
    }
    match (named.is_empty(), stop.get("state")) {
        (true, Some("stopped")) | (false, Some("partial")) => Ok(match doubtful {
            true => Account::Doubtful,
            false => Account::Explained,
        }),
        (_, state) => Err(format!("the stop is {state:?}, silent {silent:?}")),
    }
}

/// Reads `1-3,7`.
fn cpus(list: &str) -> Option<BTreeSet<u32>> {
    let mut cpus = BTreeSet::new();
    for part in list.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cpus.extend(first.parse::<u32>().ok()?..=last.parse().ok()?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::arch::Arch;

    fn plan(machine: Option<&'static str>, ends: &[Ending]) -> Plan {
        Plan {
            seed: 1,
            arch: Arch::Aarch64,
            smp: true,
            cpus: 4,
            machine,
            stays: false,
            off: None,
            deaf: BTreeSet::from([3]),
            ends: ends.iter().copied().collect(),
            script: String::new(),
        }
    }

    fn judged(plan: &Plan, end: End, stop: &str) -> Option<String> {
        let outcome = Outcome {
            end,
            detail: String::new(),
            records: Record::parse(stop).into_iter().collect(),
            text: String::new(),
            wall: Duration::ZERO,
            ready: None,
            audit: None,
            has_core: false,
            counts: None,
            places: Vec::new(),
            death: None,
            story: None,
        };
        judge(plan, &outcome).wrong
    }

    const FULL: &str = "@stop state=stopped owner=0 stopped=1-3 silent=";
    const PARTIAL: &str = "@stop state=partial owner=0 stopped=1-2 silent=3";

    #[test]
    fn a_deaf_cpu_is_named_where_nothing_reaches_it_and_only_there() {
        let (deaf, reached) = (
            plan(Some("gic-version=2"), &[Ending::Panic]),
            plan(None, &[Ending::Panic]),
        );
        assert_eq!(judged(&deaf, End::PanicPartial, PARTIAL), None);
        assert_eq!(judged(&reached, End::Panic, FULL), None);
        assert!(
            judged(&reached, End::PanicPartial, PARTIAL)
                .unwrap()
                .contains("[3]")
        );
        assert!(judged(&deaf, End::Panic, FULL).unwrap().contains("not named"));
        let wrong = "@stop state=partial owner=0 stopped=2 silent=1,3";
        // One rung, and nobody to look: it may have been slow. Anywhere else it is an error.
        assert_eq!(judged(&deaf, End::PanicPartial, wrong), None);
        assert!(
            judged(&reached, End::PanicPartial, wrong)
                .unwrap()
                .contains("[1, 3]")
        );
        assert!(judged(&reached, End::Panic, "@stop state=unavailable silent=").is_some());
        assert!(judged(&reached, End::Panic, "@ready").is_some());
    }

    #[test]
    fn a_run_ends_as_one_of_those_that_ended_it_wished() {
        let two = plan(None, &[Ending::Panic, Ending::Reboot]);
        for end in [End::Panic, End::Reboot, End::Contradiction] {
            assert_eq!(judged(&two, end, FULL), None, "{end:?}");
        }
        for end in [
            End::Timeout,
            End::EarlyDeath,
            End::Poweroff,
            End::QemuDied,
            End::SilentPoweroff,
        ] {
            assert!(judged(&two, end, FULL).is_some(), "{end:?}");
        }
        let one = plan(None, &[Ending::Reboot]);
        assert!(judged(&one, End::Contradiction, FULL).is_some());
        assert!(judged(&one, End::Panic, FULL).is_some());
    }

    #[test]
    fn lists_are_read() {
        assert_eq!(cpus("1-3,7"), Some(BTreeSet::from([1, 2, 3, 7])));
        assert_eq!(cpus(""), Some(BTreeSet::new()));
        assert_eq!(cpus("x"), None);
    }
}
