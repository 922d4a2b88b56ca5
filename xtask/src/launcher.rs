//! The launcher, held against what an old cargo can read. `ci/old-cargo.sh` tries the same with the cargos themselves.

use std::fs;

use crate::needs::rust::MINIMUM;
use crate::paths;

/// The launcher's own decision, with its own tests: it has no crate here.
#[path = "../launcher/src/refusal.rs"]
mod refusal;

/// Below them cargo looks upwards for the workspace, and finds an alias that needs no path.
const FOLDERS: [&str; 6] = ["arch", "ci", "crates", "docs", "targets", "xtask"];

const SOURCES: [&str; 3] = ["build.rs", "src/main.rs", "src/refusal.rs"];

fn read(name: &str) -> String {
    let path = paths::root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of a manifest that are not among those that cargo has understood since 2021, or passes over.
fn too_new(manifest: &str) -> Vec<&str> {
    const KNOWN: [&str; 10] = [
        "[package]",
        "name = ",
        "version = ",
        "edition = \"2018\"",
        // Passed over, with a warning that `--quiet` keeps back.
        "rust-version = ",
        "license = ",
        "publish = false",
        "[workspace]",
        "[profile.dev]",
        "debug = false",
    ];
    let says_something = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let is_known = |line: &str| KNOWN.iter().any(|known| line.starts_with(known));
    let lines = manifest.lines().filter(says_something);
    lines.filter(|line| !is_known(line)).collect()
}

/// The lines of a source with syntax that is newer: `let ... else` (1.65), and names inside of format strings (1.58).
fn too_new_syntax(source: &str) -> Vec<&str> {
    let has_let_else = |line: &str| line.trim_start().starts_with("let ") && line.ends_with("else {");
    let has_name = |part: &str| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_');
        rest.len() < part.len() && rest.starts_with(['}', ':']) && !rest.starts_with("::")
    };
    let has_format = |line: &str| line.split('{').skip(1).any(has_name);
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let lines = source.lines().filter(is_code);
    lines
        .filter(|line| has_let_else(line) || has_format(line))
        .collect()
}

#[test]
fn an_old_cargo_reads_the_launcher() {
    assert_eq!(too_new(&read("xtask/launcher/Cargo.toml")), [""; 0]);
    let lock = read("xtask/launcher/Cargo.lock");
    assert!(
        lock.contains("\nversion = 3\n"),
        "1.78 was the first to know another"
    );
    assert_eq!(
        lock.matches("[[package]]").count(),
        1,
        "a dependency may want a newer Rust"
    );
    for source in SOURCES {
        let text = read(&format!("xtask/launcher/{source}"));
        assert_eq!(too_new_syntax(&text), [""; 0], "{source}");
    }
}

#[test]
fn what_an_old_cargo_does_not_read_is_found() {
    for line in [
        "edition = \"2024\"",
        "edition.workspace = true",
        "debug = \"line-tables-only\"",
        "resolver = \"3\"",
        "[dependencies]",
        "[lints]",
    ] {
        assert_eq!(too_new(&format!("[package]\nname = \"x\"\n{line}\n")), [line]);
    }
    for line in [
        "    let Some(root) = root() else {",
        "    println!(\"{error}\");",
        "    println!(\"{error:?}\");",
    ] {
        assert_eq!(too_new_syntax(line), [line]);
    }
    assert!(!too_new(&read("Cargo.toml")).is_empty());
}

#[test]
fn the_launcher_asks_for_the_rust_that_the_kernels_need() {
    let said = |minor| {
        refusal::refusal(
            &read("Cargo.toml"),
            &[("cargo", format!("cargo 1.{minor}.0"))],
            "",
        )
    };
    assert_eq!(said(MINIMUM.1), None);
    assert!(said(MINIMUM.1 - 1).is_some());
    assert_eq!(MINIMUM.0, 1);
}

#[test]
fn the_first_command_goes_by_the_launcher_and_works_in_every_folder() {
    assert!(
        read(".cargo/config.toml")
            .contains("xtask = \"run --quiet --manifest-path xtask/launcher/Cargo.toml --\"")
    );
    let alias = "xtask = \"run --quiet --package xtask --\"";
    for name in FOLDERS {
        assert!(
            read(&format!("{name}/.cargo/config.toml")).contains(alias),
            "{name}"
        );
    }
}
