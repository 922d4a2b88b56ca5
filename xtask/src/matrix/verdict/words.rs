//! What a kernel must have said, and what one must not that cannot run.

use crate::matrix::cells::Cell;
use crate::vm::Outcome;
use crate::vm::record::{Record, last};

/// What the cell's machine makes the kernel say.
pub(super) fn said(cell: &Cell, outcome: &Outcome) -> Result<(), String> {
    match outcome.text.contains(cell.says) {
        true => Ok(()),
        false => Err(format!("it does not say: {}", cell.says)),
    }
}

/// A kernel that cannot do without something does not try to.
pub(super) fn refused(records: &[Record]) -> Result<(), String> {
    match last(records, "ready") {
        None => Ok(()),
        Some(_) => Err("it came up where it cannot run".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::verdict;
    use crate::vm::judge::End;

    const READY: &str =
        "@ready arch=x86_64 build=smp cpus=4/4 ns=1 mem_kib=261759 mem_used_kib=1200 mem_left_kib=0";
    const CPUS: &str = "@cpus expected=0-3 online=0-3 missing=";
    const STOP: &str = "@stop state=stopped owner=0 stopped= off= silent=";

    #[test]
    fn a_cpu_that_will_not_do_is_refused_in_words() {
        let verdict = |end, lines: &[&str]| verdict("x86_64/features-no-tsc/smp-4/refused", end, lines);
        let why = r#"@panic cpu=0 why="this CPU has no time-stamp counter (TSC)""#;
        assert_eq!(verdict(End::Panic, &[why, STOP, "@end how=halt"]), Ok(()));
        assert!(verdict(End::Timeout, &[]).is_err(), "silence");
        assert!(verdict(End::Panic, &[READY, why, STOP]).is_err());
        assert!(verdict(End::Panic, &[why]).is_err());
        assert!(verdict(End::Panic, &[r#"@panic why="page fault""#, STOP]).is_err());
    }

    #[test]
    fn what_must_be_said_is_missed() {
        let name = "x86_64/features-no-nx/smp-4";
        let verdict = |lines: &[&str]| verdict(name, End::Poweroff, lines);
        let silent = verdict(&[CPUS, READY, STOP]).unwrap_err();
        assert!(silent.contains("no-execute"), "{silent}");
        let words = "mm: without a no-execute bit, what is not code can be executed all the same";
        assert_eq!(verdict(&[words, CPUS, READY, STOP]), Ok(()));
    }
}
