//! Which of LLVM's linkers links the kernel.

use std::path::PathBuf;
use std::process::Command;

use super::{State, rust, tool};

/// A linker for `CARGO_TARGET_<T>_LINKER`: a bare name where PATH finds it, so that cargo's record of how `core` was
/// built says the same on every machine; else a full path.
pub fn choose() -> Option<String> {
    candidates().into_iter().find(|name| version(name).is_some())
}

/// In order of preference. Debian's `rust-lld` may be a symbolic link into nothing, so each is run before it is taken.
fn candidates() -> Vec<String> {
    let in_sysroot = rust::kernel()
        .into_iter()
        .chain(rust::active())
        .map(|rust| rust.own_lld());
    let mut names = vec!["lld-22".to_owned(), "rust-lld".to_owned()];
    names.extend(
        in_sysroot
            .filter(|path: &PathBuf| path.is_file())
            .map(|path| path.display().to_string()),
    );
    names.extend(["lld-19".to_owned(), "lld-14".to_owned()]);
    names
}

/// The generic driver refuses to run unless told which linker to be.
fn version(name: &str) -> Option<String> {
    let output = Command::new(name)
        .args(["-flavor", "gnu", "--version"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (major, minor) = tool::version(&text)?;
    output.status.success().then(|| format!("{major}.{minor}"))
}

/// Looks for a linker.
pub fn look() -> State {
    match choose().and_then(|place| Some((version(&place)?, place))) {
        Some((version, place)) => State::Found { version, place },
        None => State::Missing {
            found: "no lld-22, rust-lld, lld-19 or lld-14".into(),
        },
    }
}
