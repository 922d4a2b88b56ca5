//! Several checkouts that share one target directory.
//!
//! Cargo calls what it built by the place of its source within a checkout, and finds out whether it is still good by the age of
//! files. So in a checkout whose files are older than what another one built from files of the same names, cargo takes the
//! other's program, libraries and kernels for its own. What is not told apart may not be shared: a target directory outside of
//! the tree is used as long as one checkout alone has ever used it. From then on each has a folder of its own in it.

use std::ffi::OsString;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, anyhow, bail};

use crate::needs::rust;
use crate::out::tell;
use crate::paths;

/// In a target directory that is used from outside: the root of the checkout that uses it alone.
const OWNER: &str = ".standstill-checkout";
/// What it holds once there were two.
const SEVERAL: &[u8] = b"several\n";

/// Goes on, if this program was built for this checkout alone. Else it starts the one that is, and does not come back.
///
/// # Errors
/// When that cannot be built.
pub fn settle() -> Result<()> {
    let target = paths::target();
    let Some(own) = moved(paths::root(), &target, &env::current_exe()?)? else {
        return Ok(());
    };
    if !own.join("debug/xtask").exists() {
        tell!(
            "building xtask once more, in {}: another checkout shares {}",
            own.display(),
            target.display()
        );
    }
    let rust = rust::active().ok_or_else(|| anyhow!("no rustc that runs"))?;
    let error = rust
        .command("cargo")
        .args(["run", "--quiet", "--package", "xtask", "--manifest-path"])
        .arg(paths::root().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&own)
        .env("CARGO_TARGET_DIR", &own)
        .arg("--")
        .args(env::args_os().skip(1))
        .exec();
    Err(error).context("cannot run cargo")
}

/// The target directory that the checkout at `root` has to use instead of `target`, where the program `exe` should lie.
fn moved(root: &Path, target: &Path, exe: &Path) -> Result<Option<PathBuf>> {
    fs::create_dir_all(target).with_context(|| format!("cannot create {}", target.display()))?;
    let real = |path: &Path| {
        path.canonicalize()
            .with_context(|| format!("cannot find {}", path.display()))
    };
    let (root, target) = (real(root)?, real(target)?);
    let is_ours = exe.starts_with(&target);
    if target.ends_with(name(&root)) {
        return match is_ours {
            true => Ok(None),
            false => bail!("cargo built {} and not below {}", exe.display(), target.display()),
        };
    }
    let shared = || Ok(Some(target.join(name(&root))));
    // Cargo may have been told of a target directory in its own settings: the program lies there, and nothing else will.
    match target.starts_with(&root) {
        true if has_several(&target) => shared(),
        true if is_ours => Ok(None),
        true => Ok(Some(target)),
        false if is_ours && is_alone(&target, &root)? => Ok(None),
        false => shared(),
    }
}

/// Whether it is known that more than one checkout uses `target`.
fn has_several(target: &Path) -> bool {
    fs::read(target.join(OWNER)).is_ok_and(|owner| owner == SEVERAL)
}

/// What the checkout's folder is called in a directory that it shares.
fn name(root: &Path) -> OsString {
    let mut hasher = DefaultHasher::new();
    root.as_os_str().hash(&mut hasher);
    let mut name = root.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{:016x}", hasher.finish()));
    name
}

/// Whether no other checkout than the one at `root` has ever used `target`. From now on this one has.
fn is_alone(target: &Path, root: &Path) -> Result<bool> {
    let path = target.join(OWNER);
    let at = || format!("cannot use {}", path.display());
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).with_context(at)?;
    file.lock().with_context(at)?;
    let (mut owner, own) = (Vec::new(), root.as_os_str().as_bytes());
    file.read_to_end(&mut owner).with_context(at)?;
    if owner == own {
        return Ok(true);
    }
    // One that lies in a checkout is that one's already, which does not say so.
    let is_first = owner.is_empty() && !target.ancestors().any(paths::is_root);
    file.set_len(0).with_context(at)?;
    file.seek(SeekFrom::Start(0)).with_context(at)?;
    file.write_all(if is_first { own } else { SEVERAL })
        .with_context(at)?;
    Ok(is_first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of the checkouts called `one` and `two` is told, one after the other.
    fn told(order: &[&str]) -> Vec<Option<PathBuf>> {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let target = base.join("shared");
        let ask = |name: &&str| {
            let root = base.join(name);
            fs::create_dir_all(&root).unwrap();
            let moved = moved(&root, &target, &target.join("debug/xtask")).unwrap();
            moved.map(|dir| dir.strip_prefix(&target).unwrap().to_owned())
        };
        order.iter().map(ask).collect()
    }

    #[test]
    fn who_is_alone_has_the_directory_to_itself() {
        assert_eq!(told(&["one", "one", "one"]), [None, None, None]);
    }

    #[test]
    fn two_build_apart_from_the_second_on_and_for_good() {
        let told = told(&["one", "two", "one", "two", "one"]);
        assert_eq!(told[0], None);
        assert!(told[1..].iter().all(Option::is_some), "{told:?}");
        assert_eq!(told[1], told[3]);
        assert_eq!(told[2], told[4]);
        assert_ne!(told[1], told[2]);
    }

    #[test]
    fn a_folder_of_the_tree_is_its_own_and_takes_its_own_program_only() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let target = root.join("target");
        let of = |exe: &Path| moved(&root, &target, exe).unwrap();
        assert_eq!(of(&target.join("debug/xtask")), None);
        assert_eq!(of(Path::new("/elsewhere/debug/xtask")), Some(target.clone()));
        assert!(!target.join(OWNER).exists());
    }

    #[test]
    fn the_folder_of_a_tree_that_another_one_uses_is_shared() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let (root, other) = (base.join("root"), base.join("other"));
        paths::tests::checkout(&root);
        fs::create_dir_all(&other).unwrap();
        let target = root.join("target");
        let of = |root: &Path| moved(root, &target, &target.join("debug/xtask")).unwrap();
        assert_eq!(of(&root), None);
        assert_eq!(of(&other), Some(target.join(name(&other))));
        assert_eq!(of(&root), Some(target.join(name(&root))));
    }

    #[test]
    fn a_checkout_in_its_folder_stays_there_and_never_goes_round_in_circles() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let shared = tempfile::tempdir().unwrap();
        let own = shared.path().canonicalize().unwrap().join(name(&root));
        assert_eq!(moved(&root, &own, &own.join("debug/xtask")).unwrap(), None);
        let error = moved(&root, &own, Path::new("/elsewhere/debug/xtask")).unwrap_err();
        assert!(error.to_string().contains("/elsewhere/debug/xtask"), "{error}");
    }
}
