//! Where things lie.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Result;

use crate::exit::Refused;

/// The root of the tree that is worked on.
///
/// Found at run time: cargo tells two checkouts that share a target directory apart by the age of their files alone, so the
/// program that it starts in one of them may have been built in the other.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| look().expect("main() has looked for it"))
}

/// Makes sure that there is a root.
///
/// # Errors
/// [`Refused`] when this runs in no tree of ours.
pub fn ensure_root() -> Result<()> {
    let nowhere = || Refused::usage("no tree of Standstill here: run `cargo xtask` in one");
    look().map(drop).ok_or_else(nowhere)
}

fn look() -> Option<PathBuf> {
    locate(
        env::var_os("CARGO_MANIFEST_DIR").as_deref().map(Path::new),
        &env::current_dir().ok()?,
    )
}

/// The tree of the package that `cargo run` and `cargo test` name in the environment; else the one around `cwd`.
fn locate(package: Option<&Path>, cwd: &Path) -> Option<PathBuf> {
    let of_package = package.filter(|package| package.is_absolute());
    of_package
        .into_iter()
        .chain([cwd])
        .find_map(|start| start.ancestors().find(|dir| is_root(dir)))
        .map(Path::to_owned)
}

/// Whether a checkout lies in `dir`.
pub fn is_root(dir: &Path) -> bool {
    ["Cargo.toml", "xtask/Cargo.toml", "arch/x86_64/Cargo.toml"]
        .iter()
        .all(|file| dir.join(file).is_file())
}

/// Cargo's target directory, as the caller's environment has it.
pub fn target() -> PathBuf {
    let named = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]
        .iter()
        .find_map(env::var_os)
        .filter(|dir| !dir.is_empty());
    target_of(named, || env::current_dir().unwrap_or_default())
}

/// `named` is relative to the folder that cargo was started in.
fn target_of(named: Option<OsString>, cwd: impl FnOnce() -> PathBuf) -> PathBuf {
    named.map_or_else(|| root().join("target"), |dir| cwd().join(dir))
}

/// Kernel images, reports: all that xtask leaves behind.
pub fn out() -> PathBuf {
    target().join("standstill")
}

/// Cargo's target directory for the kernels. Apart from the host's, because another toolchain builds there.
pub fn kernel_target() -> PathBuf {
    target().join("kernel")
}

/// `path` relative to the root where it lies below it: shorter to read.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
pub mod tests {
    use std::fs;

    use super::*;

    /// A folder that looks like a checkout.
    pub fn checkout(dir: &Path) {
        for file in ["Cargo.toml", "xtask/Cargo.toml", "arch/x86_64/Cargo.toml"] {
            let file = dir.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
    }

    #[test]
    fn the_tree_is_the_one_that_cargo_was_called_in() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("the other, with blanks"));
        checkout(&one);
        // A worktree inside of a checkout.
        let within = one.join("worktrees/within");
        checkout(&other);
        checkout(&within);
        for root in [&one, &other, &within] {
            assert_eq!(locate(Some(&root.join("xtask")), &one).as_ref(), Some(root));
            assert_eq!(locate(None, &root.join("docs/decisions")).as_ref(), Some(root));
            // A cargo that has to do with another package is asked in vain.
            assert_eq!(locate(Some(dir.path()), root).as_ref(), Some(root));
        }
        assert_eq!(locate(None, dir.path()), None);
        assert_eq!(locate(Some(Path::new("xtask")), dir.path()), None);
    }

    #[test]
    fn a_relative_target_directory_is_relative_to_where_one_stands() {
        let of = |named: &str| target_of(Some(named.into()), || PathBuf::from("/tree/docs"));
        assert_eq!(of("out"), Path::new("/tree/docs/out"));
        assert_eq!(of("/elsewhere"), Path::new("/elsewhere"));
        assert_eq!(target_of(None, PathBuf::new), root().join("target"));
    }

    #[test]
    fn this_tree_is_found() {
        assert!(root().join("xtask/src/paths.rs").is_file());
    }
}
