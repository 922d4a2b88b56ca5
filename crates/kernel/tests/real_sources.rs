//! The kernel's own sources, with one resync taken out at a time: the compiler refuses each. `resync.rs` shows the same of
//! boots written for the purpose, and that the refusal is for the right reason.
//!
//! One run checks both builds, so the one with `smp` has nothing to add.
#![cfg(not(feature = "smp"))]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What brings the roots in step, as it is written outside of `mm`, and what stands there once it is left out.
const FORMS: [(&str, &str); 2] = [("tables.resync::<A>()", "tables"), ("&mm::resync::<A>()", "")];

const UP: &[&str] = &[];
const SMP: &[&str] = &["--features", "smp"];

/// The error where a proof of the wrong type comes out or goes in.
const MISMATCH: &str = "error[E0308]";
/// The error where an argument is missing.
const MISSING: &str = "error[E0061]";

/// A place where it is called.
struct Place {
    /// Below `src`, and how many of them are before it in the file.
    file: &'static str,
    nth: usize,
    /// The step of the boot that it ends.
    step: &'static str,
    builds: &'static [&'static [&'static str]],
    error: &'static str,
}

const fn place(
    (file, nth): (&'static str, usize),
    step: &'static str,
    builds: &'static [&'static [&'static str]],
) -> Place {
    Place {
        file,
        nth,
        step,
        builds,
        error: MISMATCH,
    }
}

/// All of them.
const PLACES: [Place; 7] = [
    place(("start.rs", 0), "fn setup_arch<", &[UP, SMP]),
    place(("percpu_areas/up.rs", 0), "fn areas<", &[UP]),
    place(("percpu_areas/smp.rs", 0), "fn areas<", &[SMP]),
    place(("start.rs", 1), "fn irq_init<", &[UP, SMP]),
    place(("efi/mod.rs", 0), "fn enter_virtual_mode<", &[UP]),
    place(("smp/bringup.rs", 0), "fn smp_init<", &[SMP]),
    Place {
        error: MISSING,
        ..place(("smp/hotplug/mod.rs", 0), "fn online<", &[SMP])
    },
];

#[test]
fn no_resync_can_be_taken_out_of_the_kernel() {
    let copy = Sources::copy();
    for build in [UP, SMP] {
        let said = copy.check(build);
        assert_eq!(said, Ok(()), "the sources as they are, {build:?}");
    }
    let known: BTreeSet<_> = PLACES
        .iter()
        .map(|place| (place.file.to_owned(), place.nth))
        .collect();
    assert_eq!(copy.places(), known, "every resync in the sources, and no other");
    for place in &PLACES {
        let whole = fs::read_to_string(copy.file(place.file)).unwrap();
        let without = take_out(&whole, place);
        fs::write(copy.file(place.file), without).unwrap();
        for build in place.builds {
            let said = copy.check(build).expect_err(place.file);
            let at = |line: &&str| line.contains(place.file) && line.contains(place.error);
            assert!(
                said.lines().any(|line| at(&line)),
                "{} {build:?}: refused for another reason:\n{said}",
                place.file
            );
        }
        fs::write(copy.file(place.file), whole).unwrap();
    }
}

/// The text without the resync of `place`.
fn take_out(text: &str, place: &Place) -> String {
    let (at, (call, rest)) = calls(text)[place.nth];
    let start = text[..at].rfind("fn ").expect("it stands in a function");
    let step = text[start..].starts_with(place.step);
    assert!(step, "{} is not of {}", place.file, place.step);
    format!("{}{rest}{}", &text[..at], &text[at + call.len()..])
}

/// Where a text has calls, and of which form.
fn calls(text: &str) -> Vec<(usize, (&'static str, &'static str))> {
    let of = |form: (&'static str, &'static str)| text.match_indices(form.0).map(move |(at, _)| (at, form));
    let mut all: Vec<_> = FORMS.into_iter().flat_map(of).collect();
    all.sort_unstable();
    // Written in another form it would be passed over.
    let any = text.matches("resync::<A>()").count();
    assert_eq!(all.len(), any, "a resync in a form that is not known:\n{text}");
    all
}

/// A workspace of its own, with the kernel's crates in it.
struct Sources {
    root: PathBuf,
}

impl Sources {
    /// Files that are the same stay as they are, so that a second run compiles little.
    fn copy() -> Self {
        // Cargo starts tests in their package's folder. A path that was compiled in could be another checkout's.
        let from = Path::new("../..");
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-sources");
        fs::create_dir_all(&root).unwrap();
        let manifest = fs::read_to_string(from.join("Cargo.toml")).unwrap();
        let (_, rest) = manifest
            .split_once("\n[workspace.package]")
            .expect("the workspace has a package table");
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/kernel\"]\n\n[workspace.package]{rest}"
        );
        write(&root.join("Cargo.toml"), manifest.as_bytes()).unwrap();
        if !root.join("Cargo.lock").exists() {
            fs::copy(from.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        }
        // What the tests of the crates stand on is named in their manifests, and so must be there.
        for folder in ["crates", "xtask/crates/odd-tables"] {
            mirror(&from.join(folder), &root.join(folder)).unwrap();
        }
        Self { root }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.join("crates/kernel/src").join(name)
    }

    /// Whether the kernel compiles; if not, what the compiler says.
    fn check(&self, build: &[&str]) -> Result<(), String> {
        let output = Command::new(env!("CARGO"))
            .current_dir(&self.root)
            .args(["check", "--offline", "--quiet", "--lib", "--package", "kernel"])
            .args(["--message-format", "short"])
            .args(["--target-dir", "target"])
            .args(build)
            .output()
            .expect("cargo runs");
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Every place in the sources, but for those where the thing itself is.
    fn places(&self) -> BTreeSet<(String, usize)> {
        let src = self.root.join("crates/kernel/src");
        let mut all = BTreeSet::new();
        for file in files(&src).unwrap() {
            let name = file.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
            if !name.starts_with("mm/") {
                let text = fs::read_to_string(&file).unwrap();
                all.extend((0..calls(&text).len()).map(|nth| (name.clone(), nth)));
            }
        }
        all
    }
}

/// Makes `to` what `from` is.
fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut kept = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if [OsStr::new("target"), OsStr::new("fuzz")].contains(&name.as_os_str()) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => mirror(&entry.path(), &to.join(&name))?,
            false => write(&to.join(&name), &fs::read(entry.path())?)?,
        }
        kept.insert(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            _ if kept.contains(&entry.file_name()) => {}
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

fn write(to: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::read(to) {
        Ok(old) if old == bytes => Ok(()),
        _ => fs::write(to, bytes),
    }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => all.extend(files(&entry.path())?),
            false => all.push(entry.path()),
        }
    }
    Ok(all)
}
