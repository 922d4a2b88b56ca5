//! Programs that need no more than to be there.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{State, crates, rust};
use crate::arch::Arch;
use crate::vm::efi::Firmware;
use crate::vm::grub::MODULES;

/// The least QEMU that does: `-action` came with 6.0, and 7.2 is what the tests run on.
pub const QEMU_MINIMUM: (u32, u32) = (6, 2);

/// The emulator of riscv64.
pub const QEMU_RISCV64: &str = "qemu-system-riscv64";

/// The least mdbook that does: with it the book was made.
pub const MDBOOK_MINIMUM: (u32, u32) = (0, 5);

/// The first executable file called `name` on PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

/// The first line that `program args` prints, if it ends well.
pub fn first_line(program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
    let output = Command::new(program.as_ref()).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// The first `major.minor` in `text`.
pub fn version(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| {
            let mut numbers = word.split('.');
            let major = numbers.next()?.parse().ok()?;
            Some((major, numbers.next()?.parse().ok()?))
        })
}

/// The first word of `text` that is a version, whole.
fn full_version(text: &str) -> Option<String> {
    let word = text.split_whitespace().find(|word| version(word).is_some())?;
    Some(word.trim_matches(|c: char| !c.is_ascii_digit()).to_owned())
}

/// Looks for the emulator called `name`.
pub fn qemu(name: &str) -> State {
    let Some(place) = on_path(name) else {
        return State::Missing {
            found: "not on PATH".into(),
        };
    };
    let line = first_line(&place, &["--version"]).unwrap_or_default();
    let Some(version) = version(&line) else {
        return State::Missing {
            found: format!("{} does not run", place.display()),
        };
    };
    if version < QEMU_MINIMUM {
        return State::Missing {
            found: format!("{}.{} is too old", version.0, version.1),
        };
    }
    State::Found {
        version: format!("{}.{}", version.0, version.1),
        place: place.display().to_string(),
    }
}

/// Looks for the firmware of `arch`, which has no version that could be asked for.
pub fn firmware(arch: Arch) -> State {
    let firmware = Firmware::of(arch);
    match firmware.missing() {
        Some(file) => State::Missing {
            found: format!("no {file}"),
        },
        None => State::Found {
            version: "there".into(),
            place: firmware.code.into(),
        },
    }
}

/// Looks for GRUB's tools, and its part for a BIOS.
pub fn grub() -> State {
    let missing = ["grub-mkrescue", "xorriso"]
        .into_iter()
        .find(|tool| on_path(tool).is_none());
    match missing {
        Some(tool) => State::Missing {
            found: format!("no {tool}"),
        },
        None if !Path::new(MODULES).is_dir() => State::Missing {
            found: format!("no {MODULES}"),
        },
        None => found_by(on_path("grub-mkrescue"), &["--version"]),
    }
}

/// The debugger: Debian's gdb-multiarch, or a gdb that was built for all targets.
pub fn gdb_path() -> Option<PathBuf> {
    on_path("gdb-multiarch").or_else(|| on_path("gdb").filter(|gdb| knows_arm(gdb)))
}

fn knows_arm(gdb: &Path) -> bool {
    let args = ["-nx", "-batch", "-ex", "set architecture aarch64"];
    Command::new(gdb)
        .args(args)
        .output()
        .is_ok_and(|output| output.stderr.is_empty())
}

/// Looks for the debugger.
pub fn gdb() -> State {
    found_by(gdb_path(), &["--version"])
}

/// A browser of Chromium's kind.
pub fn browser_path() -> Option<PathBuf> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    NAMES.into_iter().find_map(on_path)
}

/// Looks for the browser.
pub fn browser() -> State {
    found_by(browser_path(), &["--version"])
}

/// What makes the book: from PATH, or the one that was built for it.
pub fn mdbook_path() -> Option<PathBuf> {
    let own = crates::root().join("bin/mdbook");
    on_path("mdbook")
        .into_iter()
        .chain([own])
        .find(|path| is_new_enough(path))
}

/// Older ones take no `book.toml` like ours.
fn is_new_enough(mdbook: &Path) -> bool {
    first_line(mdbook, &["--version"])
        .and_then(|line| version(&line))
        .is_some_and(|version| version >= MDBOOK_MINIMUM)
}

/// Looks for it.
pub fn mdbook() -> State {
    found_by(mdbook_path(), &["--version"])
}

/// Looks for a linter that can build `core`.
pub fn clippy() -> State {
    found_by(
        rust::linting().and_then(|rust| rust.sibling("cargo-clippy")),
        &["--version"],
    )
}

/// Looks for the formatter: the kernels' toolchain's, else whatever is on PATH.
pub fn rustfmt() -> State {
    found_by(rustfmt_path(), &["--version"])
}

/// A formatter that runs. The proxy that rustup puts on PATH may stand for nothing.
pub fn rustfmt_path() -> Option<PathBuf> {
    let own = rust::kernel().and_then(|rust| rust.sibling("rustfmt"));
    own.into_iter()
        .chain(on_path("rustfmt"))
        .find(|path| first_line(path, &["--version"]).is_some())
}

fn found_by(place: Option<PathBuf>, args: &[&str]) -> State {
    let Some(place) = place else {
        return State::Missing {
            found: "not found".into(),
        };
    };
    match first_line(&place, args) {
        Some(line) => State::Found {
            version: full_version(&line).unwrap_or(line),
            place: place.display().to_string(),
        },
        None => State::Missing {
            found: format!("{} does not run", place.display()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(
            version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)"),
            Some((7, 2))
        );
        assert_eq!(
            version("rustc 1.96.0 (abc 2026-01-02) (built from a source tarball)"),
            Some((1, 96))
        );
        assert_eq!(version("GNU gdb (Debian 13.1-3) 13.1"), Some((13, 1)));
        assert_eq!(
            full_version("clippy 0.1.96 (abc 2026-01-02)"),
            Some("0.1.96".into())
        );
        assert_eq!(version("nothing"), None);
        assert_eq!(version("one 12"), None);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(on_path("no-such-program-here").is_none());
        assert!(on_path("sh").is_some());
        assert!(first_line("/no/such/file", &[]).is_none());
    }
}
