//! The packages where nothing of this repository is near: a workspace of its own, below the folder for temporary files.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::contents::{Package, succeed};
use super::folder;
use crate::needs::{linker, rust};
use crate::paths;

/// A target with 64-bit atomics.
pub const BUILT: &str = "riscv64imac-unknown-none-elf";
/// One that has them up to 32 bits.
pub const CHECKED: &str = "thumbv7em-none-eabi";
/// The packages that need more: an entry of a page table is stored in one go.
const NEED_64: [&str; 1] = ["standstill-paging"];

/// As the example has it, so that `core` is built once for each target.
const PROFILE: &str = "\n[profile.dev]\npanic = \"abort\"\n";

/// Packages in a folder that goes when this does.
pub struct Outside {
    root: PathBuf,
    packages: Vec<String>,
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Takes the packages out of the repository. Where one names another it means the one that lies beside it.
pub fn unpack(packed: &[Package]) -> Result<Outside> {
    let mut hash = DefaultHasher::new();
    // The same folder each time, so that what was built for it is found again; another for another clone.
    paths::root().hash(&mut hash);
    let root = std::env::temp_dir().join(format!("standstill-packages-{:016x}", hash.finish()));
    let _ = fs::remove_dir_all(&root);
    let outside = Outside {
        packages: packed.iter().map(|package| package.file.clone()).collect(),
        root,
    };
    for package in packed {
        copy(&package.root, &outside.root.join("packages").join(&package.file))?;
    }
    let members: Vec<String> = outside
        .packages
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n{}{PROFILE}",
        members.join(", "),
        outside.patches("")
    );
    outside.write("packages/Cargo.toml", &manifest)?;
    // The versions that everything else was tested with.
    fs::copy(
        paths::root().join("Cargo.lock"),
        outside.root.join("packages/Cargo.lock"),
    )?;
    Ok(outside)
}

impl Outside {
    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.root.join(name), text).with_context(|| format!("cannot write {name}"))
    }

    /// The packages, as what a registry would have, found at `path`.
    fn patches(&self, path: &str) -> String {
        let line = |file: &String| {
            let name = file.rsplit_once('-').map_or(&**file, |(name, _)| name);
            format!("{name} = {{ path = \"{path}{file}\" }}\n")
        };
        let lines: String = self.packages.iter().map(line).collect();
        format!("\n[patch.crates-io]\n{lines}")
    }

    /// Cargo in one of its folders, with `core` from source.
    fn cargo(&self, verb: &str, within: &str, target: &str) -> Result<Command> {
        let rust = rust::kernel().context("no Rust with rust-src")?;
        let mut command = rust.command("cargo");
        let linker_of = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
        command
            .args([verb, "--quiet", "--target", target, "-Zbuild-std=core"])
            .current_dir(self.root.join(within))
            .env("CARGO_TARGET_DIR", folder().join("build"));
        if let Some(linker) = linker::choose() {
            command.env(linker_of, linker);
        }
        Ok(command)
    }

    pub fn build(&self) -> Result<()> {
        succeed(
            self.cargo("build", "packages", BUILT)?
                .args(["--workspace", "--lib"]),
        )
    }

    pub fn check(&self) -> Result<()> {
        let mut command = self.cargo("check", "packages", CHECKED)?;
        command.args(["--workspace", "--lib"]);
        command.args(NEED_64.iter().flat_map(|name| ["--exclude", name]));
        succeed(&mut command)
    }

    /// A package that needs more than `core` must be seen. The package is as it was afterwards.
    pub fn control(&self) -> Result<()> {
        let name = self.packages.iter().find(|name| name.contains("cpumask"));
        let file = format!("packages/{}/src/lib.rs", name.context("no cpumask")?);
        let text = fs::read_to_string(self.root.join(&file))?;
        self.write(&file, &format!("{text}\nextern crate std;\n"))?;
        let outcome = self.check();
        self.write(&file, &text)?;
        let said = outcome.err().context("it builds")?.to_string();
        ensure!(
            said.contains("can't find crate for `std`"),
            "it fails otherwise: {said}"
        );
        Ok(())
    }

    /// The kernel that is `smp-stop`'s example, against the package.
    pub fn example(&self) -> Result<PathBuf> {
        let from = paths::root().join("crates/smp-stop/examples/riscv64");
        copy(&from, &self.root.join("example"))?;
        let manifest = fs::read_to_string(from.join("Cargo.toml"))?;
        let package = self.packages.iter().find(|name| name.starts_with("smp-stop"));
        let package = format!("../packages/{}", package.context("no smp-stop")?);
        let (ours, theirs) = ("path = \"../..\"", format!("path = \"{package}\""));
        ensure!(manifest.contains(ours), "the example does not say {ours}");
        let patched = manifest.replace(ours, &theirs) + &self.patches("../packages/");
        self.write("example/Cargo.toml", &patched)?;
        succeed(&mut self.cargo("build", "example", BUILT)?)?;
        Ok(folder().join("build").join(BUILT).join("debug/riscv64"))
    }
}

/// Copies a folder, but for what was built in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        match entry.file_type()?.is_dir() {
            true if name == "target" => {}
            true => copy(&entry.path(), &to.join(name))?,
            false => fs::copy(entry.path(), to.join(name)).map(drop)?,
        }
    }
    Ok(())
}
