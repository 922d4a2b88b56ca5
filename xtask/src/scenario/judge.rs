//! Whether a staged failure was dealt with as it must be: what the scenario asks for, and what holds for every stop.

use std::collections::HashSet;

use super::account::{self, Account, Row};
use super::expect::{Expect, Want, parked};
use crate::vm::Outcome;
use crate::vm::judge::End;
use crate::vm::record::{Record, last};

/// Checks a run on a machine whose kernel may run CPUs 0 to `cpus - 1`.
///
/// # Errors
/// What was wrong, in a sentence: the first thing found.
pub fn check(expect: &Expect, cpus: u32, outcome: &Outcome) -> Result<(), String> {
    if outcome.end != expect.end {
        let detail = match outcome.detail.as_str() {
            "" => String::new(),
            detail => format!(" ({detail})"),
        };
        return Err(format!(
            "{}{detail}; expected: {}",
            outcome.end.describe(),
            expect.end.describe()
        ));
    }
    let is_ready = last(&outcome.records, "ready").is_some();
    if is_ready != expect.ready {
        return Err(format!(
            "the monitor was reached: {is_ready}, not {}",
            expect.ready
        ));
    }
    if expect.end == End::EarlyDeath {
        return console(expect, &outcome.text);
    }
    let stop = account::last(&outcome.records)?;
    if expect.tableless {
        return match stop.rows[..] {
            [] => console(expect, &outcome.text),
            _ => Err("an account of each CPU, where none can be told".into()),
        };
    }
    headline(expect, &stop, &outcome.records)?;
    (0..cpus).try_for_each(|cpu| accounted_for(expect, cpu, &stop))?;
    agreement(expect, cpus, &stop)?;
    console(expect, &outcome.text)
}

/// Who stopped the others, why, and what it says.
fn headline(expect: &Expect, account: &Account<'_>, records: &[Record]) -> Result<(), String> {
    let reason = account.stop.reason;
    if reason != expect.reason {
        return Err(format!("the reason is {reason}, not {}", expect.reason));
    }
    let owners: Vec<u32> = account
        .rows
        .iter()
        .filter(|row| row.state == "owner")
        .map(|row| row.cpu)
        .collect();
    let wanted = |owner: &u32| expect.owners.is_empty() || expect.owners.contains(owner);
    match owners[..] {
        [owner] if wanted(&owner) && !expect.unknown => {}
        [] if expect.unknown => {}
        _ => return Err(format!("owned by CPU {owners:?}, not {:?}", expect.owners)),
    }
    let panics: Vec<&Record> = records.iter().filter(|record| record.kind == "panic").collect();
    if panics.len() != expect.panics {
        return Err(format!("{} @panic lines, not {}", panics.len(), expect.panics));
    }
    match panics.last().map(|panic| panic.get("why").unwrap_or_default()) {
        Some(why) if !why.contains(expect.clue) => Err(format!("another panic than the one staged: {why}")),
        _ => Ok(()),
    }
}

/// I1: each CPU is the owner, stands still, is off, or is named, and as this scenario wants it.
fn accounted_for(expect: &Expect, cpu: u32, account: &Account<'_>) -> Result<(), String> {
    let rows: Vec<&Row<'_>> = account.rows.iter().filter(|row| row.cpu == cpu).collect();
    let row = match rows[..] {
        [] if expect.unknown || expect.alone && !expect.owners.contains(&cpu) => return Ok(()),
        [] => return Err(format!("CPU {cpu} is not accounted for")),
        [row] => row,
        _ => return Err(format!("CPU {cpu} has {} lines", rows.len())),
    };
    let still = ["owner", "parked", "off"].contains(&row.state);
    if !still && row.why == "-" {
        return Err(format!("CPU {cpu} is {}, and nothing says why", row.state));
    }
    let wanted = expect.cpus.iter().find(|(other, _)| *other == cpu);
    match wanted {
        Some((_, want)) => fits(row, want),
        None if row.state == "owner" => Ok(()),
        None => fits(row, &parked()),
    }
}

fn fits(row: &Row<'_>, want: &Want) -> Result<(), String> {
    let is = |found: &str, wanted: &[&str]| wanted.is_empty() || wanted.contains(&found);
    let pairs = [
        ("is", row.state, &want.states),
        ("was stopped by", row.via, &want.vias),
        ("has the remark", row.why, &want.whys),
    ];
    for (what, found, wanted) in pairs {
        if !is(found, wanted) {
            return Err(format!(
                "CPU {} {what} {found}, not {}",
                row.cpu,
                wanted.join(" or ")
            ));
        }
    }
    match want.registers {
        Some(wanted) if wanted != row.registers => Err(format!(
            "CPU {}: registers there: {}, not {wanted}",
            row.cpu, row.registers
        )),
        _ => Ok(()),
    }
}

/// The line about all CPUs agrees with the lines about each.
fn agreement(expect: &Expect, cpus: u32, account: &Account<'_>) -> Result<(), String> {
    let stop = &account.stop;
    for row in account.rows.iter().filter(|row| row.cpu < cpus) {
        let parked = row.state == "parked";
        let named = row.why != "-" && row.why != "NO_REGS";
        // A CPU that was late may have parked between the two lines.
        if parked && !stop.stopped.contains(row.cpu) || named != stop.silent.contains(row.cpu) {
            return Err(format!("@stop and @cpu disagree about CPU {}", row.cpu));
        }
    }
    let took_ms = stop.took_ns / 1_000_000;
    let (least, most) = expect.took_ms;
    if (least..=most).contains(&took_ms) {
        Ok(())
    } else {
        Err(format!("the stop took {took_ms} ms, not {least} to {most}"))
    }
}

/// What was printed: what the scenario wants, and one voice at the end, that says things once.
fn console(expect: &Expect, text: &str) -> Result<(), String> {
    for says in &expect.says {
        if !text.contains(says) {
            return Err(format!("the console does not say: {says}"));
        }
    }
    for never in &expect.never {
        if text.contains(never) {
            return Err(format!("the console says: {never}"));
        }
    }
    let text = guest(text);
    one_voice(text)?;
    once(expect, text)
}

/// What the guest said, without what was found out about its CPUs afterwards.
fn guest(text: &str) -> &str {
    text.split("\nxtask: ").next().unwrap_or(text)
}

/// From the last `@panic` on there is the report and nothing else: no log line, no prompt, no line within a line.
fn one_voice(text: &str) -> Result<(), String> {
    const BEGINNINGS: [&str; 8] = [
        "@",
        " ",
        "CPU ",
        "kernel ",
        "backtrace",
        "stop: ",
        "rebooting",
        "panic while panicking",
    ];
    let lines: Vec<&str> = text.lines().collect();
    let Some(first) = lines.iter().rposition(|line| line.starts_with("@panic ")) else {
        return Ok(());
    };
    for line in &lines[first..] {
        let known = is_dump(line) || BEGINNINGS.iter().any(|begin| line.starts_with(begin));
        let mixed = line.matches('@').count() > usize::from(line.starts_with('@'));
        if !known || mixed {
            return Err(format!("after the panic, another voice: {line}"));
        }
    }
    let last = |line: &&&str| !line.is_empty() && !line.starts_with("@way ");
    match lines.iter().rev().find(last) {
        Some(line) if line.starts_with("@end ") => Ok(()),
        Some(line) => Err(format!("the last line is not @end but: {line}")),
        None => Err("nothing was said".into()),
    }
}

/// Registers: `pc=0x1f`, `x0  000000000000001f`; or nothing at all.
fn is_dump(line: &str) -> bool {
    let hex = |text: &str| text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = |text: &str| text.len() <= 3 && text.starts_with(|c: char| c.is_ascii_lowercase());
    let mut words = line.split_whitespace();
    words.all(|word| word.contains("=0x") || hex(word) || name(word))
}

/// No CPU's backtrace is printed twice for one panic, and there is one end.
fn once(expect: &Expect, text: &str) -> Result<(), String> {
    let mut seen = HashSet::new();
    let headings = text.lines().filter(|line| line.starts_with("backtrace of CPU "));
    for heading in headings {
        if !seen.insert(heading) {
            return Err(format!("said twice: {heading}"));
        }
    }
    match text.lines().filter(|line| line.starts_with("@end ")).count() {
        ends if ends == expect.ends => Ok(()),
        ends => Err(format!("{ends} @end lines")),
    }
}

#[cfg(test)]
mod tests;
