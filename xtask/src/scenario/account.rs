//! What became of each CPU, as the kernel told it in its records.

use records::{Cpu, CpuList, Damage, Record as _, Stop, Text};

use crate::vm::record::Record;

/// `@stop`, as it is read here.
pub type StopLine<'a> = Stop<CpuList<'a>, &'a str, Text<'a>>;

/// One stop: a line for each CPU, and the one that ends them.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    pub stop: StopLine<'a>,
    pub rows: Vec<Row<'a>>,
}

/// One CPU's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    pub cpu: u32,
    pub state: &'a str,
    pub via: &'a str,
    pub why: &'a str,
    pub registers: bool,
}

/// The last stop that `records` tell of.
///
/// # Errors
/// A sentence: there is none, or a line of it is damaged.
pub fn last(records: &[Record]) -> Result<Account<'_>, String> {
    let stops = |record: &Record| record.kind == StopLine::KIND;
    let end = records.iter().rposition(stops).ok_or("no @stop line")?;
    let begin = records[..end]
        .iter()
        .rposition(stops)
        .map_or(0, |before| before + 1);
    let rows = records[begin..end]
        .iter()
        .filter(|record| record.kind == Row::KIND);
    let read = |kind: &str, damage: Damage| format!("@{kind}: {damage}");
    Ok(Account {
        stop: StopLine::read(&records[end]).map_err(|damage| read("stop", damage))?,
        rows: rows
            .map(Row::read)
            .collect::<Result<_, _>>()
            .map_err(|damage| read("cpu", damage))?,
    })
}

impl<'a> Row<'a> {
    const KIND: &'static str = <Cpu<&str, Text<'_>> as records::Record<'_>>::KIND;

    fn read(record: &'a Record) -> Result<Self, Damage> {
        let line = Cpu::<&str, Text<'_>>::read(record)?;
        Ok(Self {
            cpu: line.n,
            state: line.state,
            via: line.via.0,
            why: line.why,
            registers: line.regs != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWICE: &str = "\
@cpu n=0 state=owner via=\"owner\" why=- regs=1
@stop state=stopped reason=reboot owner=0 stopped= off= silent= took_ns=7
@cpu n=0 state=parked via=\"offline path\" why=NO_REGS regs=0
@cpu n=1 state=owner via=\"owner\" why=- regs=1
@stop state=partial reason=crash owner=1 stopped=0 off= silent=2 took_ns=9";

    fn records(text: &str) -> Vec<Record> {
        text.lines().filter_map(Record::parse).collect()
    }

    #[test]
    fn the_last_stop_counts_with_its_own_lines() {
        let records = records(TWICE);
        let account = last(&records).unwrap();
        assert_eq!((account.stop.reason, account.stop.took_ns), ("crash", 9));
        assert!(account.stop.silent.contains(2));
        let first = Row {
            cpu: 0,
            state: "parked",
            via: "offline path",
            why: "NO_REGS",
            registers: false,
        };
        assert_eq!((account.rows.len(), account.rows[0]), (2, first));
    }

    #[test]
    fn damage_is_named() {
        let wrong = |text: &str| last(&records(text)).unwrap_err();
        assert_eq!(wrong("@ready"), "no @stop line");
        assert_eq!(
            wrong(&TWICE.replace(" regs=1", "")),
            "@cpu: the line has no field regs="
        );
        assert!(wrong(&TWICE.replace("took_ns=9", "took_ns=x")).starts_with("@stop: took_ns="));
    }
}
