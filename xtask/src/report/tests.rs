//! The page as a browser shows it, and what it is made of.

use std::fs;
use std::process::Command;

use serde_json::Value;
use trace::{Event, Phase};

use super::story::{CpuStory, StopStory};
use super::{Figure, Page, Run, Story, Table, perfetto};
use crate::needs::tool;

/// A machine whose CPUs start one after the other, all of them stopped by CPU 0 but the last, which is deaf.
fn story(cpus: u32) -> Story {
    let told = |ns: u64, cpu: u32, event: Event| {
        let raw = event.pack();
        (ns, cpu, raw.kind, raw.small, raw.large, event.to_string())
    };
    let mut events = vec![told(10, 0, Event::Phase(Phase::Start))];
    for cpu in 1..cpus {
        let at = u64::from(cpu) * 100;
        events.push(told(at, cpu, Event::Start { by: 0, attempt: 0 }));
        events.push(told(at + 50, cpu, Event::Alive));
        events.push(told(at + 60, cpu, Event::Online));
    }
    events.sort_by_key(|event| event.0);
    let ready = u64::from(cpus) * 100 + 200;
    events.push(told(ready, 0, Event::Phase(Phase::Ready)));
    events.push(told(ready + 1_050, 0, Event::StopSignal { rung: 0 }));
    let row = |cpu: u32| {
        let (owner, deaf) = (cpu == 0, cpu + 1 == cpus);
        CpuStory {
            cpu,
            hw: format!("{cpu:x}"),
            owner,
            state: Some(if deaf { "STOP_REQ" } else { "PARKED" }.into()),
            via: (!deaf).then(|| if owner { "owner" } else { "interrupt" }.into()),
            by_signal: !owner && !deaf,
            silent: deaf,
            why: deaf.then(|| "IRQ_OFF".into()),
            answered: (!owner && !deaf).then(|| 200 + u64::from(cpu)),
            regs: Some(vec!["pc=0x10 sp=0x20 fp=0x30".into()]),
            trace: vec!["kernel::<spin> (a.rs:1)".into()],
        }
    };
    Story {
        arch: "x86_64".into(),
        build: "smp".into(),
        events,
        lost: 0,
        stop: Some(StopStory {
            reason: "panic".into(),
            state: Some("partial".into()),
            owner: "0".into(),
            began: ready + 1_000,
            took: 900,
        }),
        rows: (0..cpus).map(row).collect(),
        end: ready + 1_900,
    }
}

fn page(sizes: &[u32]) -> Page {
    let run = |cpus: &u32| Run {
        name: format!("{cpus} CPUs </script> & more"),
        wrong: (*cpus == 3).then(|| "CPU 2 did not <stop>".into()),
        story: Some(story(*cpus)),
        console: "a < b".into(),
        ..Run::default()
    };
    Page {
        runs: sizes
            .iter()
            .map(|cpus| {
                run(cpus)
                    .again("cargo xtask soak --seed 7", Some(7))
                    .at("row", cpus.to_string())
            })
            .collect(),
        tables: vec![Table {
            title: "By architecture".into(),
            columns: vec!["".into(), "runs".into()],
            rows: vec![vec!["x86_64".into(), "4,711".into()]],
        }],
        figures: vec![Figure::Phases {
            title: "Parts".into(),
            note: String::new(),
            rows: Vec::new(),
        }],
        ..Page::new("A page")
    }
}

#[test]
fn the_page_needs_nothing_else_and_escapes_what_it_shows() {
    let html = page(&[2, 3]).html().unwrap();
    for foreign in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert_eq!(html.matches("</script>").count(), 2, "the page's own");
    assert!(html.contains("CPU 2 did not &lt;stop&gt;") && html.contains("cargo xtask soak --seed 7"));
    assert!(html.contains("4,711"));
}

#[test]
fn pages_can_be_put_together() {
    let html = page(&[2, 3]).html().unwrap();
    let mut all = Page::parse(&html).unwrap();
    all.add(Page::parse(&html).unwrap());
    let again = Page::parse(&all.html().unwrap()).unwrap();
    assert_eq!(
        (again.runs.len(), again.tables.len(), again.sources.len()),
        (4, 2, 2)
    );
    assert_eq!(again.runs[3].wrong.as_deref(), Some("CPU 2 did not <stop>"));
    assert_eq!(
        again.runs[0].retold.as_ref().unwrap()["rows"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(Page::parse("<html></html>").is_err());
}

#[test]
fn a_trace_for_other_viewers_has_all_lanes() {
    let json = perfetto::of(&story(4));
    let of = |kind: &str| {
        json["traceEvents"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["ph"] == kind)
            .count()
    };
    assert_eq!(of("M"), 2 + 4, "the process, the boot, and four CPUs");
    assert_eq!((of("s"), of("f")), (2, 2), "two CPUs answered a signal");
    let spans = json["traceEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["ph"] == "X");
    assert!(
        spans
            .clone()
            .all(|span| span["dur"].as_f64().is_some_and(|us| us >= 0.0))
    );
    assert!(spans.clone().any(|span| span["name"] == "stop: panic"));
    assert_ne!(json["displayTimeUnit"], Value::Null);
}

/// Added to a page: opens all runs, hovers over the last lane of each, and leaves what it saw in the document.
const PROBE: &str = r#"<script>
addEventListener("load", () => {
  const seen = [];
  document.querySelectorAll("details.run").forEach((run) => { run.open = true; unfold(run); });
  document.querySelectorAll("svg.lanes").forEach((svg) => {
    const lanes = svg.querySelectorAll("g.lane"), last = lanes[lanes.length - 1];
    last.querySelector("rect.silent").dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: 50, clientY: 50 }));
    const arrows = svg.querySelectorAll("path.signal").length;
    seen.push(`${lanes.length} lanes, ${arrows} arrows, ${tip.className}: ${tip.textContent.split("\n")[0]}`);
  });
  const probe = document.createElement("p");
  probe.id = "probe";
  probe.textContent = seen.join("; ");
  document.body.append(probe);
});
</script></body>"#;

#[test]
fn a_browser_shows_lanes_and_what_they_say() {
    let Some(browser) = tool::browser_path() else {
        println!("skipped: no browser here (`apt-get install chromium`), so the page was not looked at");
        return;
    };
    let html = page(&[3, 512]).html().unwrap().replace("</body>", PROBE);
    let dir = std::env::temp_dir().join(format!("standstill-page-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let file = dir.join("page.html");
    fs::write(&file, html).unwrap();
    let mut command = Command::new(browser);
    // Its sandbox does not work for root, nor in many containers; the page is this test's own.
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
    ]);
    command.arg(format!("--user-data-dir={}", dir.join("profile").display()));
    command.args(["--virtual-time-budget=5000", "--dump-dom"]);
    let output = command
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    fs::remove_dir_all(&dir).unwrap();
    let (dom, said) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    for (lanes, arrows, last) in [(3, 1, 2), (512, 510, 511)] {
        let seen = format!("{lanes} lanes, {arrows} arrows, on: CPU {last}: did not stop");
        assert!(
            dom.contains(&seen),
            "{seen}\n{}",
            dom.split("id=\"probe\"").last().unwrap_or_default()
        );
    }
}
