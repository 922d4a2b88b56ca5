//! A story as the JSON that Chrome's trace viewer and Perfetto read: Trace Event Format, times in microseconds.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use trace::{Event, Phase, Raw};

use super::story::Story;

/// Writes it to `file`.
///
/// # Errors
/// When it cannot be written.
pub fn write(file: &Path, story: &Story) -> Result<()> {
    let text = format!("{}\n", of(story));
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    crate::out::tell!("{}", crate::paths::shown(file));
    Ok(())
}

/// The lane of the boot's phases, above all CPUs.
const BOOT_LANE: u32 = 0;

/// The lane of a CPU.
const fn lane(cpu: u32) -> u32 {
    cpu + 1
}

fn us(ns: u64) -> f64 {
    ns as f64 / 1000.0
}

/// The whole document.
pub fn of(story: &Story) -> Value {
    let mut list = names(story);
    list.extend(story.events.iter().map(instant));
    list.extend(spans(story));
    list.extend(arrows(story));
    json!({ "displayTimeUnit": "ns", "traceEvents": list })
}

fn names(story: &Story) -> Vec<Value> {
    let name = |kind: &str, tid: u32, name: String| json!({ "ph": "M", "pid": 0, "tid": tid, "name": kind, "args": { "name": name } });
    let mut list = vec![
        name(
            "process_name",
            0,
            format!("Standstill {} {}", story.arch, story.build),
        ),
        name("thread_name", BOOT_LANE, "boot".into()),
    ];
    let cpus = story.rows.iter().map(|row| row.cpu);
    list.extend(cpus.map(|cpu| name("thread_name", lane(cpu), format!("CPU {cpu}"))));
    list
}

fn instant((ns, cpu, _, _, _, text): &(u64, u32, u8, u16, u32, String)) -> Value {
    json!({ "ph": "i", "s": "t", "pid": 0, "tid": lane(*cpu), "ts": us(*ns), "name": text })
}

fn span(name: &str, tid: u32, from: u64, to: u64) -> Value {
    json!({ "ph": "X", "pid": 0, "tid": tid, "ts": us(from), "dur": us(to.saturating_sub(from)), "name": name })
}

fn event(kind: u8, small: u16, large: u32) -> Option<Event> {
    Event::unpack(Raw { kind, small, large })
}

/// The boot's phases, and what each CPU was for how long.
fn spans(story: &Story) -> Vec<Value> {
    let (mut list, mut phase): (Vec<Value>, Option<(u64, Phase)>) = (Vec::new(), None);
    let mut open: BTreeMap<u32, (u64, &str)> = BTreeMap::from([(0, (0, "online"))]);
    for (ns, cpu, kind, small, large, _) in &story.events {
        let next = match event(*kind, *small, *large) {
            Some(Event::Phase(new)) => {
                list.extend(phase.map(|(from, old)| span(old.name(), BOOT_LANE, from, *ns)));
                phase = Some((*ns, new));
                continue;
            }
            Some(Event::Start { attempt: 0, .. }) => Some("starting"),
            Some(Event::Alive) => Some("first code"),
            Some(Event::Online) => Some("online"),
            Some(Event::Dying) => Some("on its way off"),
            Some(Event::Off | Event::GivenUp { .. }) => None,
            _ => continue,
        };
        let before = match next {
            Some(name) => open.insert(*cpu, (*ns, name)),
            None => open.remove(cpu),
        };
        list.extend(before.map(|(from, name)| span(name, lane(*cpu), from, *ns)));
    }
    let stop = |cpu: u32| stopped(story, cpu).unwrap_or(story.end);
    list.extend(
        open.iter()
            .map(|(cpu, (from, name))| span(name, lane(*cpu), *from, stop(*cpu))),
    );
    if let Some(all) = &story.stop {
        let owner = story
            .rows
            .iter()
            .find(|row| row.owner)
            .map_or(BOOT_LANE, |row| lane(row.cpu));
        list.push(span(
            &format!("stop: {}", all.reason),
            owner,
            all.began,
            all.began + all.took,
        ));
    }
    list
}

/// When `cpu` answered the stop, or began it.
fn stopped(story: &Story, cpu: u32) -> Option<u64> {
    let (stop, row) = (story.stop.as_ref()?, story.rows.get(cpu as usize)?);
    match row.owner {
        true => Some(stop.began),
        false => Some(stop.began + row.answered?),
    }
}

/// From each stop signal to each answer to it.
fn arrows(story: &Story) -> Vec<Value> {
    let signals: Vec<(u64, u32)> = story
        .events
        .iter()
        .filter(|(_, _, kind, small, large, _)| {
            matches!(event(*kind, *small, *large), Some(Event::StopSignal { .. }))
        })
        .map(|(ns, cpu, ..)| (*ns, *cpu))
        .collect();
    let mut list = Vec::new();
    for row in story.rows.iter().filter(|row| row.by_signal) {
        let Some(to) = stopped(story, row.cpu) else {
            continue;
        };
        let Some((from, by)) = signals.iter().rev().find(|(ns, _)| *ns <= to) else {
            continue;
        };
        let end = |ph: &str, tid: u32, ns: u64| json!({ "ph": ph, "bp": "e", "id": row.cpu, "pid": 0, "tid": tid, "ts": us(ns), "cat": "stop", "name": "signal to answer" });
        list.push(end("s", lane(*by), *from));
        list.push(end("f", lane(row.cpu), to));
    }
    list
}
