//! The page as a browser shows it, and what it is made of.

use std::fs;
use std::time::Duration;

use clap::Parser;
use trace::{Event, Phase};

use super::browser::Seen;
use super::story::{CpuStory, StopStory};
use super::{Figure, Out, Page, Run, Story, Table, browser};
use crate::arch::Arch;
use crate::bench::boot::Counted;
use crate::bench::figures;
use crate::bench::report::Figures as BootFigures;
use crate::bench::stop::{Figures as StopFigures, Load, Timed};
use crate::kernel::Flavour;
use crate::matrix::{self, Came, Finished, cells};
use crate::needs::tool;
use crate::scenario::{self, Played};
use crate::verbs::qemu;
use crate::vm::Outcome;
use crate::vm::judge::End;
use crate::vm::record::Record;
use crate::{Cli, soak};

/// A machine whose CPUs start one after the other, all of them stopped by CPU 0 but the last, which is deaf.
pub fn story(cpus: u32) -> Story {
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

pub fn page(sizes: &[u32]) -> Page {
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
fn columns_stand_by_size() {
    let html = page(&[64, 3, 512, 8]).html().unwrap();
    let at = |text: &str| html.find(&format!("<th>{text}</th>")).unwrap();
    assert!(at("3") < at("8") && at("8") < at("64") && at("64") < at("512"));
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

/// An outcome of a machine that panicked.
fn outcome() -> Outcome {
    Outcome {
        end: End::Panic,
        detail: String::new(),
        records: vec![Record::parse("@stop state=stopped took_ns=4711").unwrap()],
        text: "the console".into(),
        wall: Duration::from_millis(1500),
        ready: None,
        audit: None,
        has_core: false,
        counts: None,
        death: None,
        places: Vec::new(),
        story: Some(story(2)),
    }
}

const FLAVOUR: Flavour = Flavour {
    arch: Arch::I386,
    smp: true,
    release: false,
    faults: false,
};

/// The page of each verb that has one, of results with one thing wrong where something can be.
fn pages() -> [(&'static str, Page); 6] {
    let cells = cells::all(false).into_iter().take(3);
    let cells: Vec<Finished> = cells
        .map(|cell| Finished {
            cell,
            came: Came::Wrong("it hangs".into()),
            outcome: Some(outcome()),
            wall: Duration::ZERO,
        })
        .collect();
    let played = Played {
        name: "deaf x86_64 smp-4".into(),
        number: 7,
        replay: "cargo xtask scenario 7 --seed 3".into(),
        seed: Some(3),
        wrong: Some("CPU 2 was lost".into()),
        text: String::new(),
        wall: Duration::ZERO,
        end: "panic",
        story: Some(story(4)),
    };
    let stops = StopFigures {
        qemu: "7.2".into(),
        counted: Vec::new(),
        timed: vec![Timed {
            arch: Arch::I386,
            cpus: 8,
            load: Load::Busy,
            took_ns: vec![1_000, 2_000, 3_000],
            answered_ns: vec![900],
            failures: Vec::new(),
        }],
    };
    let boots = BootFigures {
        qemu: "7.2".into(),
        rustc: "1".into(),
        counted: vec![Counted {
            flavour: FLAVOUR,
            cpus: 8,
            ready_ns: 123_456,
            executed: 654_321,
            bring_up_ns: 700,
            bring_up: None,
            mem_used_kib: 2_000,
            percpu_bytes: 256,
            phases: vec![("memory".into(), 5)],
        }],
        images: Vec::new(),
        builds: Vec::new(),
        repeatable: true,
    };
    [
        (
            "qemu --arch i386",
            qemu::page("i386 smp", "panic=-1", &outcome(), false),
        ),
        ("matrix", matrix::report::page(&cells)),
        ("scenario", scenario::report::page(&[played])),
        ("soak", soak::page_of_one(99, &outcome(), "it hangs")),
        ("bench stop", figures::stop_page(&stops)),
        ("bench boot", figures::boot_page(&boots)),
    ]
}

/// That each takes `--report`, and that what it writes has what it found in its rows, also once it is taken into another page.
#[test]
fn each_verb_with_results_writes_a_page_with_its_rows() {
    let wanted: [&[&str]; 6] = [
        &["i386 smp, panic=-1", "the console", "kernel panic"],
        &["it hangs", "cargo xtask matrix --filter", "All runs", ">FAIL<"],
        &[
            "7 deaf x86_64 smp-4",
            "CPU 2 was lost",
            "cargo xtask scenario 7 --seed 3",
            "seed 3",
            ">FAIL<",
        ],
        &[
            "it hangs",
            "--seed 99 --runs 1",
            "stops a minute",
            "\"values\":[4711]",
        ],
        &["i386", "Microseconds", "median", "\"values\":[1000,2000,3000]"],
        &["654,321", "More CPUs", "123,456", "[\"memory\",5]"],
    ];
    let dir = tempfile::tempdir().unwrap();
    for ((verb, page), wanted) in pages().into_iter().zip(wanted) {
        let file = dir.path().join("page.html");
        let words = ["cargo xtask"].into_iter().chain(verb.split(' '));
        let words: Vec<&str> = words.chain(["--report", file.to_str().unwrap()]).collect();
        Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{verb}: {error}"));
        let out = Out {
            report: Some(file.clone()),
        };
        out.write(|| page).unwrap();
        let html = fs::read_to_string(&file).unwrap();
        let again = Page::parse(&html).unwrap().html().unwrap();
        for text in wanted {
            assert!(html.contains(text), "{verb}: {text}");
            assert!(again.contains(text), "{verb}, taken in: {text}");
        }
    }
    // A verb without results takes none, and a page that is not wanted is not made.
    assert!(Cli::try_parse_from(["cargo xtask", "doctor", "--report", "x.html"]).is_err());
    Out::default().write(|| panic!("nobody wants it")).unwrap();
}

/// Added to a page: opens all runs, hovers over the last lane of each and the steps above, and leaves what it saw in the document.
const PROBE: &str = r#"<script>
addEventListener("load", () => {
  const seen = [];
  const over = (shape) => {
    shape.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: 50, clientY: 50 }));
    return `${tip.className}: ${tip.textContent}`.replaceAll("\n", "|");
  };
  document.querySelectorAll("details.run").forEach((run) => { run.open = true; unfold(run); });
  document.querySelectorAll("svg.lanes").forEach((svg) => {
    const lanes = svg.querySelectorAll("g.lane"), last = lanes[lanes.length - 1];
    const arrows = svg.querySelectorAll("path.signal").length;
    const steps = [...svg.querySelectorAll("rect.phase")].map(over).join(", ");
    seen.push(`${lanes.length} lanes, ${arrows} arrows, ${over(last.querySelector("rect.silent"))}; ${steps}`);
  });
  const probe = document.createElement("p");
  probe.id = "probe";
  const fits = document.documentElement.scrollWidth <= innerWidth;
  probe.textContent = `${fits ? "fits" : "too wide"} on ${getComputedStyle(document.body).backgroundColor}; ${seen.join("; ")}`;
  document.body.append(probe);
});
</script></body>"#;

#[test]
fn a_browser_shows_lanes_and_what_they_say() {
    let Some(browser) = tool::browser_path() else {
        println!("skipped: no browser here (`apt-get install chromium`), so the page was not looked at");
        return;
    };
    let seen = |html: &str, options: &[&str]| browser::open(&browser, html, options).unwrap();
    let probed = |seen: &Seen| {
        let (_, rest) = seen.dom.split_once("<p id=\"probe\">").unwrap_or_default();
        rest.replace("&gt;", ">").replace("&lt;", "<")
    };
    let html = page(&[3, 512]).html().unwrap().replace("</body>", PROBE);
    let (wide, narrow) = (
        seen(&html, &["--window-size=1400,900"]),
        seen(&html, &["--window-size=500,900", "--force-dark-mode"]),
    );
    for (seen, ground) in [(&wide, "rgb(251, 251, 250)"), (&narrow, "rgb(22, 24, 27)")] {
        assert!(seen.complaints.is_empty(), "{:?}", seen.complaints);
        let probe = probed(seen);
        assert!(probe.starts_with(&format!("fits on {ground}; ")), "{probe}");
        for (lanes, arrows, last) in [(3, 1, 2), (512, 510, 511)] {
            let text = format!("{lanes} lanes, {arrows} arrows, on: CPU {last}: did not stop");
            assert!(probe.contains(&text), "{text}: {probe}");
        }
        for text in [
            "pc=0x10 sp=0x20",
            "#0 kernel::<spin> (a.rs:1)",
            "on: stop: request",
            "on: stop: signal 1",
        ] {
            assert_eq!(probe.matches(text).count(), 2, "{text}: {probe}");
        }
    }
    // A page that is wrong is found out: code that does not run, a run without lanes, a table that does not scroll.
    let wrong = html.replacen("const GUTTER", "nobody.knows(); const GUTTER", 1);
    assert!(!seen(&wrong, &[]).complaints.is_empty());
    let blind = html.replace("<g class=\"lane\"", "<g class=\"other\"");
    assert!(!probed(&seen(&blind, &[])).contains("512 lanes"));
    let broad = html.replace("<h2>Runs", "<h2 style=\"width:3000px\">Runs");
    assert!(probed(&seen(&broad, &[])).starts_with("too wide"));
}
