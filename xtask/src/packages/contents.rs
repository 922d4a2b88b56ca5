//! Packing, and what must be in a package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::{PACKAGES, folder};
use crate::host;

/// A package as cargo made it, and unpacked beside it.
pub struct Package {
    /// Its name and version.
    pub file: String,
    /// The folder with what is in it.
    pub root: PathBuf,
}

/// Packs them all at once: those that depend on others take the others' packages, as a registry would have them.
pub fn pack() -> Result<Vec<Package>> {
    let folder = folder();
    let _ = fs::remove_dir_all(folder.join("package"));
    let mut command = host::cargo()?;
    command
        .args(["package", "--quiet", "--no-verify", "--allow-dirty"])
        .env("CARGO_TARGET_DIR", &folder);
    for name in PACKAGES {
        command.args(["--package", name]);
    }
    succeed(&mut command)?;
    let mut packages = Vec::new();
    for entry in fs::read_dir(folder.join("package"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "crate") {
            packages.push(unpack(&path)?);
        }
    }
    ensure!(
        packages.len() == PACKAGES.len(),
        "{} packages of {} crates",
        packages.len(),
        PACKAGES.len()
    );
    packages.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(packages)
}

fn unpack(file: &Path) -> Result<Package> {
    let name = file
        .file_stem()
        .context("a package without a name")?
        .to_string_lossy()
        .into_owned();
    let into = file.parent().context("a package in no folder")?;
    succeed(Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(into))?;
    Ok(Package {
        root: into.join(&name),
        file: name,
    })
}

/// Runs a command; its own words are the error.
pub fn succeed(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(())
}

/// What is wrong with a package, first of all.
pub fn judge(package: &Package) -> Result<()> {
    let read = |name: &str| {
        fs::read_to_string(package.root.join(name)).with_context(|| format!("there is no {name}"))
    };
    for (name, begins) in [
        ("README.md", "# "),
        ("CHANGELOG.md", "# Changes"),
        ("LICENSE-MIT", "Copyright"),
        ("LICENSE-APACHE", "                              Apache License"),
    ] {
        ensure!(
            read(name)?.starts_with(begins),
            "{name} does not begin with {begins:?}"
        );
    }
    manifest(&read("Cargo.toml")?)?;
    ensure!(
        sources(&package.root.join("examples"))?.next().is_some(),
        "there is no example"
    );
    for source in sources(&package.root.join("src"))? {
        let text = fs::read_to_string(&source)?;
        if let Some(newer) = newer_than_promised(&text) {
            bail!(
                "{} has `{newer}`, which is newer than `rust-version`",
                source.display()
            );
        }
    }
    Ok(())
}

/// What a registry shows, and what must not be in a package's manifest.
fn manifest(text: &str) -> Result<()> {
    for key in [
        "description",
        "license",
        "readme",
        "keywords",
        "categories",
        "documentation",
        "rust-version",
        "version",
    ] {
        let is_it = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
        ensure!(text.lines().any(is_it), "the manifest has no {key}");
    }
    ensure!(
        text.contains("[package.metadata.docs.rs]"),
        "the manifest says nothing to docs.rs"
    );
    ensure!(
        !text.contains("publish = false"),
        "the manifest forbids to publish it"
    );
    let dependencies = text
        .split("\n[")
        .filter(|section| section.starts_with("dependencies"));
    for section in dependencies {
        ensure!(!section.contains("path ="), "a dependency has a path: {section}");
    }
    Ok(())
}

/// All files of Rust in `folder` and below; none where there is no folder.
fn sources(folder: &Path) -> Result<impl Iterator<Item = PathBuf> + use<>> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match path.extension() {
                _ if path.is_dir() => left.push(path),
                Some(extension) if extension == "rs" => found.push(path),
                _ => {}
            }
        }
    }
    Ok(found.into_iter())
}

/// Syntax that the compilers promised do not have. Functions of the standard library are clippy's to see, by
/// `incompatible_msrv`; of the language the edition leaves little: conditions that are chains came with Rust 1.88.
fn newer_than_promised(text: &str) -> Option<&'static str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let is_chain = |line: &str| {
        let condition = line.trim_start().trim_start_matches("} else ");
        line.contains("&& let ") || (condition.starts_with("if let ") && condition.contains(" && "))
    };
    code.into_iter().any(is_chain).then_some("if ... && let")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"x\"\nversion = \"0.1.0\"\nrust-version = \"1.85\"\ndescription = \"x\"\n\
        documentation = \"x\"\nreadme = \"README.md\"\nkeywords = [\"x\"]\ncategories = [\"x\"]\nlicense = \"x\"\n\
        [package.metadata.docs.rs]\n\n[lib]\npath = \"src/lib.rs\"\n\n[dependencies.y]\nversion = \"0.1\"\n";

    #[test]
    fn a_manifest_that_lacks_something_is_refused() {
        manifest(GOOD).unwrap();
        for line in GOOD
            .lines()
            .filter(|line| line.contains('=') && !line.starts_with("name") && !line.starts_with("path"))
        {
            let key = line.split(' ').next().unwrap();
            let without = GOOD.replacen(line, "", 1);
            // The dependency has a version, too.
            if key != "version" {
                assert!(manifest(&without).unwrap_err().to_string().contains(key), "{key}");
            }
        }
        let wrong = manifest(&format!("{GOOD}path = \"../y\"\n")).unwrap_err();
        assert!(wrong.to_string().contains("a dependency has a path"), "{wrong}");
        let wrong = manifest(&GOOD.replace("name = \"x\"", "publish = false")).unwrap_err();
        assert!(wrong.to_string().contains("forbids"), "{wrong}");
    }

    #[test]
    fn chains_are_seen() {
        for chain in [
            "if a && let Some(b) = c {",
            "    } else if let Some(a) = b && c {",
            "        && let Ok(x) = y",
        ] {
            assert!(newer_than_promised(chain).is_some(), "{chain}");
        }
        for plain in [
            "if a && b {",
            "// if a && let b",
            "if let Some(a) = b {",
            "let a = b && c;",
        ] {
            assert_eq!(newer_than_promised(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_package_without_a_licence_is_refused() {
        let root = std::env::temp_dir().join(format!("standstill-contents-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("README.md"), "# x\n").unwrap();
        fs::write(root.join("CHANGELOG.md"), "# Changes\n").unwrap();
        let package = Package {
            file: "x-0.1.0".into(),
            root: root.clone(),
        };
        let wrong = judge(&package).unwrap_err();
        fs::remove_dir_all(root).unwrap();
        assert_eq!(wrong.to_string(), "there is no LICENSE-MIT");
    }
}
