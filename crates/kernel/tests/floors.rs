//! The kernel's modules lie in floors, and no module knows one above it. The compiler allows circles; this does not.
//!
//! What is read is the text: each `crate::` path of each file, in `use` trees and elsewhere, tests included.
#![cfg(not(feature = "smp"))]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top to the ground. In a floor, too, a module knows only those after it.
const FLOORS: &[&[&str]] = &[
    &["start", "monitor", "banner", "params", "staging"],
    &["smp", "up", "panic", "power"],
    &["efi", "tick", "sched", "percpu_areas"],
    &["mm", "stop", "canary"],
    &["facts", "console", "irq", "trace", "clock"],
    &["phase", "hooks", "cpu", "inject", "account"],
    &["arch", "image"],
];

/// What is exported at the root of the crate, and the module that it comes from.
const MACROS: [(&str, &str); 5] = [
    ("println", "console"),
    ("info", "console"),
    ("debug", "console"),
    ("warning", "console"),
    ("error", "console"),
];

/// A file knows a module.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    file: String,
    from: String,
    to: String,
}

/// How far above the ground a module lies.
fn height(module: &str) -> Option<usize> {
    let order = FLOORS.iter().copied().flatten();
    order.rev().position(|name| *name == module)
}

/// What is wrong with an arrow, if anything is.
fn complaint(arrow: &Arrow) -> Option<String> {
    let Arrow { file, from, to } = arrow;
    match (height(from), height(to)) {
        (Some(above), Some(below)) if above > below => None,
        (Some(_), Some(_)) => Some(format!("{file}: {from} -> {to} points up")),
        (None, _) => Some(format!("{file}: {from} has no floor")),
        (_, None) => Some(format!("{file}: {from} -> {to}, which has no floor")),
    }
}

#[test]
fn no_arrow_points_up() {
    let complaints: Vec<String> = arrows_of_the_kernel().iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_floor_is_inhabited_by_modules_that_exist() {
    let modules: BTreeSet<String> = sources().iter().map(|(file, _)| module_of(file)).collect();
    let named: BTreeSet<String> = FLOORS
        .iter()
        .copied()
        .flatten()
        .map(|name| (*name).to_owned())
        .collect();
    assert_eq!(named, modules);
}

/// The control: the house with one arrow more.
#[test]
fn an_arrow_that_points_up_is_named() {
    let text =
        "//! crate::start\nuse crate::{\n    arch::Arch, // crate::smp\n    sched::{self, Thread},\n};\n";
    let found = arrows("irq.rs", text);
    let complaints: Vec<String> = found.iter().filter_map(complaint).collect();
    assert_eq!(complaints, ["irq.rs: irq -> sched points up"]);
    let path = arrows("cpu.rs", "fn f() { crate::warning!(\"x\"); $crate::arch::f() }");
    let complaints: Vec<String> = path.iter().filter_map(complaint).collect();
    assert_eq!(complaints, ["cpu.rs: cpu -> console points up"]);
    let stranger = arrows("attic.rs", "use crate::arch::Arch;");
    assert_eq!(complaint(&stranger[0]).unwrap(), "attic.rs: attic has no floor");
}

fn arrows_of_the_kernel() -> BTreeSet<Arrow> {
    let found: BTreeSet<Arrow> = sources()
        .iter()
        .flat_map(|(file, text)| arrows(file, text))
        .collect();
    // Far fewer would mean that nothing was read.
    assert!(found.len() > 150, "{} arrows", found.len());
    found
}

/// Every file below `src` but the root, by its path there.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => files.push(entry),
            }
        }
    }
    let below = |file: &PathBuf| file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let read = |file: PathBuf| (below(&file), fs::read_to_string(&file).unwrap());
    files
        .into_iter()
        .map(read)
        .filter(|(file, _)| file != "lib.rs")
        .collect()
}

fn module_of(file: &str) -> String {
    let first = file.split('/').next().unwrap_or_default();
    first.trim_end_matches(".rs").to_owned()
}

fn arrows(file: &str, text: &str) -> Vec<Arrow> {
    let code: String = text.lines().map(without_comment).collect::<Vec<_>>().join("\n");
    let from = module_of(file);
    let to = code.split("crate::").skip(1).flat_map(heads).map(|name| {
        let from_macro = MACROS.iter().find(|(exported, _)| *exported == name);
        from_macro.map_or(name, |(_, module)| module).to_owned()
    });
    to.filter(|to| *to != from)
        .map(|to| Arrow {
            file: file.to_owned(),
            from: from.clone(),
            to,
        })
        .collect()
}

/// A line of code; text in quotes that looks like a comment is not in these sources.
fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// The first names of what follows `crate::`: one, or those of a `use` tree.
fn heads(rest: &str) -> Vec<&str> {
    let name = |text: &str| {
        text.find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or(text.len())
    };
    let Some(tree) = rest.strip_prefix('{') else {
        return vec![&rest[..name(rest)]];
    };
    let (mut found, mut depth, mut begin) = (Vec::new(), 0usize, 0);
    for (at, c) in tree.char_indices() {
        match (c, depth) {
            ('{', _) => depth += 1,
            (',', 0) | ('}', 0) => {
                let item = tree[begin..at].trim();
                found.extend(Some(&item[..name(item)]).filter(|item| !item.is_empty()));
                begin = at + 1;
                if c == '}' {
                    break;
                }
            }
            ('}', _) => depth -= 1,
            _ => {}
        }
    }
    found
}
