//! Which Rust builds the kernels.
//!
//! `core` is built from source for the kernels' targets, so the toolchain must carry `rust-src`. In this order: the
//! toolchain that runs xtask, if it has the source; that toolchain after `rustup component add rust-src`; Debian's.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::RwLock;

use super::{State, tool};
use crate::out::tell;
use crate::paths;

/// The least compiler that builds the kernels.
pub const MINIMUM: (u32, u32) = (1, 95);

/// Where Debian's packages put theirs.
const DEBIAN: &str = "/usr/bin";

/// A toolchain on this machine.
#[derive(Clone, Debug)]
pub struct Toolchain {
    bin: PathBuf,
    sysroot: PathBuf,
    version: (u32, u32),
    host: String,
}

impl Toolchain {
    /// The toolchain whose programs lie in `bin`.
    fn at(bin: &Path) -> Option<Self> {
        let rustc = bin.join("rustc");
        let text = output(&rustc, &["-vV"])?;
        Some(Self {
            bin: bin.to_owned(),
            sysroot: output(&rustc, &["--print", "sysroot"])?.trim().into(),
            version: tool::version(text.lines().find(|line| line.starts_with("release:"))?)?,
            host: text
                .lines()
                .find_map(|line| line.strip_prefix("host: "))?
                .to_owned(),
        })
    }

    fn source(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust/library")
    }

    fn builds_kernels(&self) -> bool {
        self.version >= MINIMUM && self.source().join("core").is_dir() && self.bin.join("cargo").is_file()
    }

    /// Another program of the same toolchain, such as `cargo-clippy`.
    pub fn sibling(&self, name: &str) -> Option<PathBuf> {
        Some(self.bin.join(name)).filter(|path| path.is_file())
    }

    /// Where rustup's toolchains keep a linker of their own.
    pub fn own_lld(&self) -> PathBuf {
        self.sysroot
            .join("lib/rustlib")
            .join(&self.host)
            .join("bin/rust-lld")
    }

    /// The folder of what teaches gdb to show values as Rust writes them; not every package of Rust has it.
    pub fn gdb_printers(&self) -> Option<PathBuf> {
        let folder = self.sysroot.join("lib/rustlib/etc");
        Some(folder).filter(|folder| folder.join("gdb_lookup.py").is_file())
    }

    /// As `doctor` shows it.
    pub fn version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// `program` of this toolchain, in an environment free of what the cargo that runs xtask left in it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        scrub(&mut command);
        let old = env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.bin.clone()).chain(env::split_paths(&old));
        command.env("PATH", env::join_paths(dirs).unwrap_or(old));
        command.env("RUSTC_BOOTSTRAP", "1");
        command
    }
}

/// What `rustc args` prints, if it runs.
fn output(rustc: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new(rustc);
    scrub(&mut command);
    let output = command
        .args(args)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Takes out what would make a child cargo build something else than the same line typed in a fresh shell:
/// the outer toolchain's choice, and flags that would win over those in `.cargo/config.toml`.
pub fn scrub(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if is_inherited(&name) {
            command.env_remove(&name);
        }
    }
    if let Some(list) = env::var_os("LD_LIBRARY_PATH") {
        // `cargo run` puts the outer toolchain's libraries there, where an inner compiler must not find them.
        let kept = env::split_paths(&list).filter(|dir| !of_outer_cargo(dir));
        command.env("LD_LIBRARY_PATH", env::join_paths(kept).unwrap_or_default());
    }
}

fn of_outer_cargo(dir: &Path) -> bool {
    let outer =
        env::var_os("CARGO").and_then(|cargo| Some(Path::new(&cargo).parent()?.parent()?.join("lib")));
    dir.starts_with(paths::target()) || outer.is_some_and(|lib| dir.starts_with(lib))
}

fn is_inherited(name: &OsString) -> bool {
    const KEEP: [&str; 5] = [
        "CARGO_HOME",
        "CARGO_TERM_",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTR",
    ];
    const DROP: [&str; 5] = [
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTUP_TOOLCHAIN",
    ];
    let name = name.to_string_lossy();
    let of_cargo = name == "CARGO" || name.starts_with("CARGO_");
    (of_cargo && !KEEP.iter().any(|keep| name.starts_with(keep))) || DROP.contains(&&*name)
}

/// The toolchain that runs xtask: the one whose cargo started it, else the one PATH finds.
pub fn active() -> Option<Toolchain> {
    let of_cargo = env::var_os("CARGO").and_then(|cargo| Toolchain::at(Path::new(&cargo).parent()?));
    of_cargo.or_else(|| {
        let sysroot = tool::first_line("rustc", &["--print", "sysroot"])?;
        Toolchain::at(&Path::new(&sysroot).join("bin"))
    })
}

static KERNEL: RwLock<Option<Toolchain>> = RwLock::new(None);

/// The toolchain that builds the kernels, if there is one. Asked for often, so what was found is remembered.
pub fn kernel() -> Option<Toolchain> {
    if let Some(known) = KERNEL.read().ok()?.clone() {
        return Some(known);
    }
    let found = candidates().next()?;
    *KERNEL.write().ok()? = Some(found.clone());
    Some(found)
}

/// A toolchain that could build the kernels and has a linter. Not always the one that does build them.
pub fn linting() -> Option<Toolchain> {
    candidates().find(|rust| rust.sibling("cargo-clippy").is_some())
}

fn candidates() -> impl Iterator<Item = Toolchain> {
    let debian = std::iter::once_with(|| Toolchain::at(Path::new(DEBIAN))).flatten();
    active()
        .into_iter()
        .chain(debian)
        .filter(Toolchain::builds_kernels)
}

/// Looks for it.
pub fn look() -> State {
    match kernel() {
        Some(rust) => State::Found {
            version: rust.version(),
            place: rust.bin.join("cargo").display().to_string(),
        },
        None => State::Missing { found: why_not() },
    }
}

fn why_not() -> String {
    match active() {
        None => "no rustc that runs".into(),
        Some(rust) if rust.version < MINIMUM => format!("the active toolchain is {}", rust.version()),
        Some(rust) => format!("the active toolchain, {}, has no rust-src", rust.version()),
    }
}

/// Asks rustup for a component of the active toolchain. Says so when that does not work: the caller goes on to Debian's.
pub fn add_component(component: &str) {
    let Some(name) = rustup_name() else { return };
    if active().is_none_or(|rust| rust.version < MINIMUM) {
        return;
    }
    tell!("trying `rustup component add {component} --toolchain {name}`");
    let output = Command::new("rustup")
        .args(["component", "add", component, "--toolchain", &name])
        .output();
    let said = match output {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let reason = said
        .lines()
        .find(|line| line.contains("error"))
        .unwrap_or("no reason given")
        .trim();
    tell!("rustup cannot add it here ({reason}); going on with Debian's packages");
}

/// The active toolchain as rustup calls it. `None` when another cargo than rustup's runs xtask.
fn rustup_name() -> Option<String> {
    tool::on_path("rustup")?;
    env::var("RUSTUP_TOOLCHAIN").ok().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_cargo_leaves_no_trace() {
        for name in [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(is_inherited(&name.into()), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_TERM_COLOR",
            "RUSTUP_HOME",
            "PATH",
            "CARGONAUT",
        ] {
            assert!(!is_inherited(&name.into()), "{name}");
        }
    }
}
