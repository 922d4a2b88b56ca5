//! The first thing that `cargo xtask` runs: asks whether this Rust can build the real one, and runs that, or says in one line
//! what is needed.
//!
//! In the Rust of 2021, because it is for the one whose Rust is old.

mod refusal;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// xtask's exit code where a tool is missing (`xtask/src/exit.rs`).
const TOOL_MISSING: i32 = 3;

fn main() {
    let error = run();
    eprintln!("error: {}", error);
    process::exit(TOOL_MISSING);
}

/// Becomes the real xtask, or says why it cannot.
fn run() -> String {
    let root = match root() {
        Some(root) => root,
        None => return "this is for `cargo xtask` to run, in the folder of the project".into(),
    };
    let manifest = root.join("Cargo.toml");
    let text = match fs::read_to_string(&manifest) {
        Ok(text) => text,
        Err(error) => return format!("cannot read {}: {}", manifest.display(), error),
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let found = [
        ("rustc", env!("LAUNCHER_RUSTC").to_owned()),
        ("cargo", version(&cargo)),
    ];
    match refusal::refusal(&text, &found, &system) {
        Some(refusal) => refusal,
        None => become_xtask(&cargo, &manifest),
    }
}

/// Cargo says at run time where the launcher's manifest lies, so a tree that was moved is no trouble.
fn root() -> Option<PathBuf> {
    let own = env::var_os("CARGO_MANIFEST_DIR")?;
    Some(Path::new(&own).parent()?.parent()?.to_owned())
}

fn version(cargo: &OsString) -> String {
    match Command::new(cargo).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => String::new(),
    }
}

fn become_xtask(cargo: &OsString, manifest: &Path) -> String {
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--package", "xtask", "--manifest-path"]);
    command.arg(manifest).arg("--").args(env::args_os().skip(1));
    // What cargo tells a program of its own package is not about xtask's.
    let ours = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os() {
        if name.to_str().map_or(false, ours) {
            command.env_remove(&name);
        }
    }
    format!("cannot run {}: {}", Path::new(cargo).display(), command.exec())
}
