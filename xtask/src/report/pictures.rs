//! The pictures of the book: what the report page shows of real machines, as files of their own.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{Page, Run, browser};
use crate::arch::Arch;
use crate::bench::counter;
use crate::kernel::{self, Flavour};
use crate::out::tell;
use crate::vm::console::Show;
use crate::vm::count::Counting;
use crate::vm::input::Input;
use crate::vm::judge::End;
use crate::vm::spec::Spec;
use crate::vm::{self, Watch};
use crate::{file, paths};

/// One picture: of which machine, and of what about it.
struct Picture {
    name: &'static str,
    title: &'static str,
    arch: Arch,
    cpus: u32,
    commands: &'static str,
    view: &'static str,
}

const DIR: &str = "docs/pictures";
const WIDTH: u32 = 920;

const ALL: [Picture; 5] = [
    Picture {
        name: "boot",
        title: "x86_64 boots with 4 CPUs",
        arch: Arch::X86_64,
        cpus: 4,
        commands: "panic",
        view: "boot",
    },
    Picture {
        name: "bring-up",
        title: "aarch64 brings 8 CPUs up",
        arch: Arch::Aarch64,
        cpus: 8,
        commands: "panic",
        view: "bring-up",
    },
    Picture {
        name: "stop",
        title: "x86_64, 8 busy CPUs: CPU 0 panics",
        arch: Arch::X86_64,
        cpus: 8,
        commands: "busy all;panic",
        view: "stop",
    },
    Picture {
        name: "stop-nmi",
        title: "x86_64, 8 CPUs: CPU 0 panics, CPU 3 has its interrupts off",
        arch: Arch::X86_64,
        cpus: 8,
        commands: "irqsoff 3;panic",
        view: "stop",
    },
    Picture {
        name: "trace",
        title: "i386, 4 CPUs, from the first instruction to a panic",
        arch: Arch::I386,
        cpus: 4,
        commands: "busy all;panic",
        view: "all",
    },
];

/// Boots what the pictures are of, and draws them all.
///
/// # Errors
/// When a kernel does not build or does not end as it should, or the browser does not draw.
pub fn write(with: &Path) -> Result<()> {
    super::want();
    let plugin = counter::build()?;
    for picture in &ALL {
        let svg = picture.draw(with, &picture.page(&plugin)?)?;
        let path = paths::root().join(DIR).join(format!("{}.svg", picture.name));
        fs::create_dir_all(paths::root().join(DIR)).with_context(|| format!("cannot create {DIR}"))?;
        file::write_all(&path, svg)?;
        tell!("{}", paths::shown(&path));
    }
    Ok(())
}

impl Picture {
    /// The report of a run on virtual time, which is the same every time.
    fn page(&self, plugin: &Path) -> Result<Page> {
        let kernel = kernel::build(Flavour {
            arch: self.arch,
            smp: true,
            release: true,
            faults: false,
        })?;
        let append = format!("panic=-1 \"run={}\"", self.commands);
        let spec = Spec {
            counting: Some(Counting {
                plugin: plugin.to_owned(),
                marks: Vec::new(),
                turn_us: None,
            }),
            ..Spec::usual(&kernel, self.cpus, append)
        };
        let watch = Watch {
            show: Show::Hidden,
            input: Input::None,
            timeout: Some(Duration::from_secs(300)),
            after_ready: None,
            audit: None,
            resets: 0,
        };
        let outcome = vm::run(&spec, watch)?;
        let (name, end) = (self.name, outcome.end);
        ensure!(end == End::Panic, "{name}: {} {}", end.describe(), outcome.detail);
        ensure!(outcome.story.is_some(), "{name}: no CPU's trace could be read");
        Ok(Page {
            runs: vec![Run::of(name, Some(&outcome), None)],
            ..Page::new(name)
        })
    }

    /// The picture, from a page with one run.
    fn draw(&self, with: &Path, page: &Page) -> Result<String> {
        let order = json!({ "view": self.view, "width": WIDTH, "title": self.title });
        let code = format!(
            "<script>const STILL = {order};</script><script>{}</script></body>",
            include_str!("still.js")
        );
        let seen = browser::open(
            with,
            &page.html()?.replace("</body>", &code),
            &["--window-size=1200,900"],
        )?;
        let (complaints, name) = (&seen.complaints, self.name);
        ensure!(complaints.is_empty(), "{name}: {}", complaints.join("; "));
        let (_, rest) = seen
            .dom
            .split_once("<pre id=\"still\">")
            .with_context(|| format!("{name}: nothing was drawn"))?;
        let (text, _) = rest.split_once("</pre>").context("the browser was cut short")?;
        let svg = text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&nbsp;", "\u{a0}");
        Ok(svg.replace("&amp;", "&") + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links;
    use crate::needs::tool;
    use crate::report::tests::page;

    /// What a picture must have to stand alone in the book.
    fn complaint(picture: &Picture, svg: &str) -> Option<String> {
        let lanes = svg.matches("<g class=\"lane\"").count();
        let arrow = match picture.view {
            "stop" => "arrow signal",
            "bring-up" => "arrow start",
            _ => "class=\"phase\"",
        };
        let foreign = svg.replace("http://www.w3.org/2000/svg", "");
        if !svg.starts_with("<svg ") || !svg.trim_end().ends_with("</svg>") {
            return Some("no SVG".into());
        }
        if lanes != picture.cpus as usize {
            return Some(format!("{lanes} lanes"));
        }
        let without = [arrow, "prefers-color-scheme: dark", "--card:", picture.title]
            .into_iter()
            .find(|text| !svg.contains(text));
        if let Some(text) = without {
            return Some(format!("without {text}"));
        }
        ["http", "<script", "data-t=", "url("]
            .into_iter()
            .find(|text| foreign.contains(text))
            .map(|text| format!("with {text}"))
    }

    #[test]
    fn pictures_of_the_book_are_whole_and_shown() {
        let pages = links::documents(&paths::root().join("docs")).unwrap();
        let pages: Vec<String> = pages
            .iter()
            .map(|page| fs::read_to_string(page).unwrap())
            .collect();
        for picture in &ALL {
            let name = format!("{}.svg", picture.name);
            let svg = fs::read_to_string(paths::root().join(DIR).join(&name))
                .unwrap_or_else(|error| panic!("{name}: {error}; cargo xtask docs --pictures makes it"));
            assert_eq!(complaint(picture, &svg), None, "{name}");
            assert!(
                pages
                    .iter()
                    .any(|page| page.contains(&format!("](pictures/{name})"))),
                "{name}"
            );
        }
        let there = fs::read_dir(paths::root().join(DIR)).unwrap().count();
        assert_eq!(there, ALL.len(), "one that nobody draws");
    }

    #[test]
    fn a_page_becomes_a_picture() {
        let Some(with) = tool::browser_path() else {
            println!("skipped: no browser here, so nothing was drawn");
            return;
        };
        let stop = |cpus: u32| Picture {
            cpus,
            ..ALL.into_iter().find(|picture| picture.view == "stop").unwrap()
        };
        let svg = stop(3).draw(&with, &page(&[3])).unwrap();
        assert_eq!(complaint(&stop(3), &svg), None);
        assert!(
            svg.contains("did not stop") && svg.contains("signal → acknowledgement"),
            "{svg}"
        );
        // What is missing or too much is found out.
        assert_eq!(complaint(&stop(4), &svg), Some("3 lanes".into()));
        for (from, to) in [
            ("dark", "light"),
            ("arrow signal", "arrow"),
            ("</svg>", ""),
            ("<style>", "<script>"),
        ] {
            assert!(complaint(&stop(3), &svg.replace(from, to)).is_some(), "{from}");
        }
        // A view that the run does not have is an error, not an empty picture.
        let none = Picture {
            view: "none",
            ..stop(3)
        };
        assert!(none.draw(&with, &page(&[3])).is_err());
    }
}
