//! A story as the JSON that Chrome's trace viewer and Perfetto read: Trace Event Format, times in microseconds.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use trace::{Event, Phase, Raw};

use super::story::{CpuStory, Story};
use crate::file;

/// Writes it to `path`.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, story: &Story) -> Result<()> {
    let text = format!("{}\n", of(story));
    file::write_all(path, text)?;
    crate::out::tell!("{}", crate::paths::shown(path));
    Ok(())
}

/// The process that all lanes belong to. Number 0 is the idle process's for those who read this.
const PROCESS: u32 = 1;

/// The lane of the boot's phases, above all CPUs.
const BOOT_LANE: u32 = 4096;

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
    list.extend(phases(story));
    list.extend(lives(story));
    list.extend(stop(story));
    list.extend(story.rows.iter().filter_map(|row| stand(story, row)));
    let arrows = starts(story).into_iter().chain(answers(story));
    list.extend(arrows.zip(1..).flat_map(|(arrow, id)| arrow.ends(id)));
    json!({ "displayTimeUnit": "ns", "traceEvents": list })
}

fn names(story: &Story) -> Vec<Value> {
    let about = |kind: &str, tid: u32, args: Value| json!({ "ph": "M", "pid": PROCESS, "tid": tid, "ts": 0, "name": kind, "args": args });
    let process = format!("Standstill {} {}", story.arch, story.build);
    let mut list = vec![about("process_name", BOOT_LANE, json!({ "name": process }))];
    let cpus = story
        .rows
        .iter()
        .map(|row| (lane(row.cpu), format!("CPU {}", row.cpu)));
    for ((tid, name), place) in std::iter::once((BOOT_LANE, "boot".to_owned()))
        .chain(cpus)
        .zip(0..)
    {
        list.push(about("thread_name", tid, json!({ "name": name })));
        list.push(about("thread_sort_index", tid, json!({ "sort_index": place })));
    }
    list
}

fn instant((ns, cpu, _, _, _, text): &(u64, u32, u8, u16, u32, String)) -> Value {
    json!({ "ph": "i", "s": "t", "pid": PROCESS, "tid": lane(*cpu), "ts": us(*ns), "cat": "event", "name": text })
}

/// Something that lasted on a lane.
fn span(cat: &str, name: &str, tid: u32, (from, to): (u64, u64), args: Value) -> Value {
    let dur = us(to.saturating_sub(from));
    json!({ "ph": "X", "pid": PROCESS, "tid": tid, "ts": us(from), "dur": dur, "cat": cat, "name": name, "args": args })
}

fn event(kind: u8, small: u16, large: u32) -> Option<Event> {
    Event::unpack(Raw { kind, small, large })
}

/// The events of a story, for those who match on them.
fn events(story: &Story) -> impl Iterator<Item = (u64, u32, Event)> {
    let known = |(ns, cpu, kind, small, large, _): &(u64, u32, u8, u16, u32, String)| {
        Some((*ns, *cpu, event(*kind, *small, *large)?))
    };
    story.events.iter().filter_map(known)
}

/// The boot's steps.
fn phases(story: &Story) -> Vec<Value> {
    let steps = events(story).filter_map(|(ns, _, event)| match event {
        Event::Phase(phase) => Some((ns, phase)),
        _ => None,
    });
    let steps: Vec<(u64, Phase)> = steps.collect();
    let step = |pair: &[(u64, Phase)]| {
        span(
            "boot",
            pair[0].1.name(),
            BOOT_LANE,
            (pair[0].0, pair[1].0),
            json!({}),
        )
    };
    steps.windows(2).map(step).collect()
}

/// What each CPU was for how long, up to the stop.
fn lives(story: &Story) -> Vec<Value> {
    let mut list = Vec::new();
    let mut open: BTreeMap<u32, (u64, &str)> = BTreeMap::from([(0, (0, "online"))]);
    let life =
        |cpu: u32, name: &str, from: u64, to: u64| span("life", name, lane(cpu), (from, to), json!({}));
    for (ns, cpu, event) in events(story) {
        let next = match event {
            Event::Start { attempt: 0, .. } => Some("starting"),
            Event::Alive => Some("first code"),
            Event::Online => Some("online"),
            Event::Dying => Some("on its way off"),
            Event::Off | Event::GivenUp { .. } => None,
            _ => continue,
        };
        let before = match next {
            Some(name) => open.insert(cpu, (ns, name)),
            None => open.remove(&cpu),
        };
        list.extend(before.map(|(from, name)| life(cpu, name, from, ns)));
    }
    let last = |cpu: u32| stopped(story, cpu).unwrap_or(story.end);
    list.extend(
        open.iter()
            .map(|(cpu, (from, name))| life(*cpu, name, *from, last(*cpu))),
    );
    list
}

/// The stop, on its owner's lane.
fn stop(story: &Story) -> Option<Value> {
    let stop = story.stop.as_ref()?;
    let owner = story.rows.iter().find(|row| row.owner);
    let tid = owner.map_or(BOOT_LANE, |row| lane(row.cpu));
    let args = json!({ "state": stop.state, "owner": stop.owner });
    Some(span(
        "stop",
        &format!("stop: {}", stop.reason),
        tid,
        (stop.began, stop.began + stop.took),
        args,
    ))
}

/// What became of a CPU that the stop asked.
fn stand(story: &Story, row: &CpuStory) -> Option<Value> {
    let began = story.stop.as_ref()?.began;
    let (name, from) = match stopped(story, row.cpu) {
        _ if row.owner => return None,
        Some(at) => ("stands still", at),
        None if row.silent => ("did not stop", began),
        None => return None,
    };
    let args = json!({ "state": row.state, "via": row.via, "why": row.why, "registers": row.regs, "backtrace": row.trace });
    Some(span(
        "stop",
        name,
        lane(row.cpu),
        (from, story.end.max(from)),
        args,
    ))
}

/// When `cpu` answered the stop, or began it.
fn stopped(story: &Story, cpu: u32) -> Option<u64> {
    let stop = story.stop.as_ref()?;
    let row = story.rows.iter().find(|row| row.cpu == cpu)?;
    match row.owner {
        true => Some(stop.began),
        false => Some(stop.began + row.answered?),
    }
}

/// An arrow between two lanes: when it leaves which, and when it gets to which.
struct Arrow {
    cat: &'static str,
    name: &'static str,
    from: (u64, u32),
    to: (u64, u32),
}

impl Arrow {
    /// As the two events that such a one is.
    fn ends(self, id: u32) -> [Value; 2] {
        let end = |ph: &str, (ns, cpu): (u64, u32)| json!({ "ph": ph, "bp": "e", "id": id, "pid": PROCESS, "tid": lane(cpu), "ts": us(ns), "cat": self.cat, "name": self.name });
        [end("s", self.from), end("f", self.to)]
    }
}

/// From each start of a CPU to its first code.
fn starts(story: &Story) -> Vec<Arrow> {
    let mut asked: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
    let mut list = Vec::new();
    for (ns, cpu, event) in events(story) {
        match event {
            Event::Start { by, .. } => _ = asked.insert(cpu, (ns, by.into())),
            Event::Alive => list.extend(asked.remove(&cpu).map(|from| Arrow {
                cat: "start",
                name: "start to first code",
                from,
                to: (ns, cpu),
            })),
            _ => {}
        }
    }
    list
}

/// From each stop signal to each answer to it.
fn answers(story: &Story) -> Vec<Arrow> {
    let signals: Vec<(u64, u32)> = events(story)
        .filter(|(.., event)| matches!(event, Event::StopSignal { .. }))
        .map(|(ns, cpu, _)| (ns, cpu))
        .collect();
    let answer = |row: &CpuStory| {
        let to = stopped(story, row.cpu)?;
        Some(Arrow {
            cat: "stop",
            name: "signal to answer",
            from: *signals.iter().rev().find(|(ns, _)| *ns <= to)?,
            to: (to, row.cpu),
        })
    };
    story
        .rows
        .iter()
        .filter(|row| row.by_signal)
        .filter_map(answer)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::story;

    fn list(document: &Value) -> Vec<Value> {
        document["traceEvents"].as_array().cloned().unwrap_or_default()
    }

    /// Microseconds as the nanoseconds they were.
    fn ns(value: &Value) -> Option<u64> {
        value.as_f64().map(|us| (us * 1000.0).round() as u64)
    }

    /// What the Trace Event Format asks of a document, and a viewer of arrows.
    fn complaint(document: &Value) -> Option<String> {
        let events = list(document);
        let named = |event: &Value| event["ph"] == "M" && event["name"] == "thread_name";
        let lanes: Vec<&Value> = events
            .iter()
            .filter(|event| named(event))
            .map(|event| &event["tid"])
            .collect();
        let slices: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
        let in_slice = |end: &Value| {
            let at = ns(&end["ts"]);
            slices.iter().any(|slice| {
                let (from, long) = (ns(&slice["ts"]), ns(&slice["dur"]));
                slice["tid"] == end["tid"]
                    && from <= at
                    && at <= from.zip(long).map(|(from, long)| from + long)
            })
        };
        for event in &events {
            let good = match event["ph"].as_str() {
                Some("M") => event["args"].is_object(),
                Some("i") => event["s"] == "t",
                Some("X") => ns(&event["dur"]).is_some(),
                Some("s" | "f") => event["id"].is_u64() && in_slice(event),
                _ => false,
            };
            let text = |key: &str| event[key].as_str().is_some_and(|text| !text.is_empty());
            let sorted = event["ph"] == "M" || text("cat");
            let placed = event["pid"] == PROCESS && lanes.contains(&&event["tid"]) && event["ts"].is_number();
            if !(good && sorted && placed && text("name")) {
                return Some(format!("no event of the format: {event}"));
            }
        }
        for end in events
            .iter()
            .filter(|event| event["ph"] == "s" || event["ph"] == "f")
        {
            let same = |other: &&Value| ["id", "cat", "name"].iter().all(|key| other[key] == end[key]);
            let both: Vec<&Value> = events
                .iter()
                .filter(|event| !event["id"].is_null())
                .filter(same)
                .collect();
            let one_way = matches!(&both[..], [from, to] if from["ph"] == "s" && to["ph"] == "f" && ns(&from["ts"]) <= ns(&to["ts"]));
            if !one_way {
                return Some(format!("no arrow from one place to another: {both:?}"));
            }
        }
        None
    }

    #[test]
    fn a_trace_for_other_viewers_is_one() {
        for cpus in [1, 2, 4, 64] {
            let document = of(&story(cpus));
            assert_eq!(complaint(&document), None);
            assert_eq!(
                serde_json::from_str::<Value>(&document.to_string()).unwrap(),
                document
            );
        }
    }

    #[test]
    fn what_is_no_trace_is_found_out() {
        let broken = |change: &dyn Fn(&mut Value)| {
            let mut document = of(&story(4));
            let events = document["traceEvents"].as_array_mut().unwrap();
            events.iter_mut().for_each(change);
            complaint(&document)
        };
        let when = |ph: &'static str, key: &'static str, value: Value| {
            broken(&move |event| {
                if event["ph"] == ph {
                    event[key] = value.clone();
                }
            })
        };
        assert!(when("i", "ts", "1".into()).is_some(), "a time that is no number");
        assert!(when("i", "name", "".into()).is_some(), "no name");
        assert!(when("X", "tid", 99.into()).is_some(), "a lane nobody knows");
        assert!(when("X", "dur", Value::Null).is_some(), "no length");
        assert!(
            when("s", "id", 99.into()).is_some(),
            "arrows that begin and do not end"
        );
        assert!(
            when("f", "ts", json!(1e9)).is_some(),
            "an arrow to where nothing is"
        );
        assert!(when("f", "ts", json!(0.0)).is_some(), "an arrow into the past");
        assert!(when("M", "pid", 0.into()).is_some(), "another process");
        assert_eq!(when("i", "s", "t".into()), None, "nothing changed");
    }

    /// Names, lanes, times and arrows of a known story: 4 CPUs, the last of which is deaf.
    #[test]
    fn a_trace_says_what_the_story_says() {
        let story = story(4);
        let events = list(&of(&story));
        let all = |ph: &str, cat: &str| -> Vec<&Value> {
            events
                .iter()
                .filter(|event| event["ph"] == ph && event["cat"] == cat)
                .collect()
        };
        let threads = events.iter().filter(|event| event["name"] == "thread_name");
        let threads: Vec<_> = threads
            .map(|event| event["args"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(threads, ["boot", "CPU 0", "CPU 1", "CPU 2", "CPU 3"]);
        let instants = all("i", "event");
        assert_eq!(instants.len(), story.events.len());
        for (shown, (at, cpu, _, _, _, text)) in instants.iter().zip(&story.events) {
            assert_eq!(ns(&shown["ts"]), Some(*at));
            assert_eq!((&shown["tid"], &shown["name"]), (&json!(cpu + 1), &json!(text)));
        }
        let ends = |ph: &str, cat: &str| -> Vec<(u64, u64)> {
            let end = |event: &&Value| (event["tid"].as_u64().unwrap(), ns(&event["ts"]).unwrap());
            all(ph, cat).iter().map(end).collect()
        };
        // Signalled at 1650 by CPU 0, and answered 200 ns and the CPU's number after 1600.
        assert_eq!(ends("s", "stop"), [(1, 1_650), (1, 1_650)]);
        assert_eq!(ends("f", "stop"), [(2, 1_801), (3, 1_802)]);
        assert_eq!(ends("s", "start"), [(1, 100), (1, 200), (1, 300)]);
        assert_eq!(ends("f", "start"), [(2, 150), (3, 250), (4, 350)]);
        let stop: Vec<_> = all("X", "stop")
            .iter()
            .map(|span| span["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            stop,
            ["stop: panic", "stands still", "stands still", "did not stop"]
        );
        let deaf = all("X", "stop")[3];
        assert_eq!(
            (&deaf["tid"], &deaf["args"]["why"]),
            (&json!(4), &json!("IRQ_OFF"))
        );
    }
}
