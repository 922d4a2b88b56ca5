//! Builds a kernel and composes its images.

pub mod bzimage;
pub mod elf;
pub mod image;
pub mod loader;
pub mod symbols;
pub mod uki;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use serde_json::Value;

use crate::arch::Arch;
use crate::needs::{linker, rust};
use crate::out::tell;
use crate::paths;
use crate::signals::Worker;

/// Which kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Flavour {
    pub arch: Arch,
    /// Built for more than one CPU.
    pub smp: bool,
    pub release: bool,
    /// With faults that the command line stages; never what people carry away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub faults: bool,
}

/// A kernel that was built. The files stay open: a later build replaces the names, not what a running QEMU reads.
#[derive(Debug)]
pub struct Kernel {
    pub flavour: Flavour,
    /// With symbols; on x86 bootable by its PVH note.
    pub elf: Artefact,
    /// What people carry away: a bzImage on x86, an Image on aarch64.
    pub image: Artefact,
    /// What carries it to a machine with UEFI, once somebody asked for it.
    loader: OnceLock<Artefact>,
}

impl Kernel {
    /// The same kernel, with the ELF file of another one. For tests of those who must notice.
    pub fn mistaken_for(self, other: Self) -> Self {
        Self {
            elf: other.elf,
            ..self
        }
    }

    /// Made of files that are there, for tests of what is done with one.
    #[cfg(test)]
    pub fn of_files(flavour: Flavour, elf: &str, image: &str) -> Result<Self> {
        Ok(Self {
            flavour,
            elf: Artefact::open(elf.into())?,
            image: Artefact::open(image.into())?,
            loader: OnceLock::new(),
        })
    }

    /// The UEFI loader for it, built when it is first asked for.
    ///
    /// # Errors
    /// When it does not build.
    pub fn loader(&self) -> Result<&Artefact> {
        if let Some(loader) = self.loader.get() {
            return Ok(loader);
        }
        let loader = loader::build(self.flavour.arch)?;
        Ok(self.loader.get_or_init(|| loader))
    }
}

/// A file, by name and open.
#[derive(Debug)]
pub struct Artefact {
    pub path: PathBuf,
    pub file: File,
}

impl Flavour {
    /// `smp` or `up`.
    pub const fn build(self) -> &'static str {
        if self.smp { "smp" } else { "up" }
    }

    const fn profile(self) -> &'static str {
        if self.release { "release" } else { "debug" }
    }

    /// Where its files go.
    pub fn dir(self) -> PathBuf {
        let faults = if self.faults { "-faults" } else { "" };
        let name = format!("{}-{}-{}{faults}", self.arch, self.build(), self.profile());
        paths::out().join(name)
    }

    /// The name of the image people carry away.
    pub const fn image_name(self) -> &'static str {
        if self.arch.is_x86() { "bzImage" } else { "Image" }
    }
}

impl std::fmt::Display for Flavour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {}{}",
            self.arch,
            self.build().to_uppercase(),
            self.profile(),
            if self.faults { " with faults" } else { "" }
        )
    }
}

impl Artefact {
    fn open(path: PathBuf) -> Result<Self> {
        let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// The same open file a second time.
    ///
    /// # Errors
    /// When there are too many open files.
    pub fn again(&self) -> Result<Self> {
        Ok(Self {
            path: self.path.clone(),
            file: self.file.try_clone()?,
        })
    }

    /// All of it: of this file, even if its name belongs to a later build by now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        fs::read(path).with_context(|| format!("cannot read {}", self.path.display()))
    }
}

/// Builds `flavour` and composes its images under [`Flavour::dir`].
///
/// # Errors
/// When cargo fails, or the ELF is not one an image can be made of.
pub fn build(flavour: Flavour) -> Result<Kernel> {
    // UP and SMP share cargo's directory and the name of the binary in it: from cargo's start until its output is
    // copied, no other xtask may build.
    let _lock = lock()?;
    let built = cargo_build(flavour)?;
    let bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let image = compose(flavour.arch, &bytes)
        .with_context(|| format!("cannot make the {} of {flavour}", flavour.image_name()))?;
    let dir = flavour.dir();
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let elf = replace(&dir.join("standstill.elf"), &bytes)?;
    let image = replace(&dir.join(flavour.image_name()), &image)?;
    Ok(Kernel {
        flavour,
        elf,
        image,
        loader: OnceLock::new(),
    })
}

/// The same kernel with other bytes in the variable called `symbol`, from its beginning on. It lies in memory files only.
///
/// # Errors
/// When there is no such variable, or it is shorter.
pub fn patched(kernel: &Kernel, symbol: &str, bytes: &[u8]) -> Result<Kernel> {
    let mut elf = fs::read(&kernel.elf.path).context("cannot read the kernel")?;
    let room = elf::in_file(&elf, symbol)?.with_context(|| format!("{symbol} is not in the kernel"))?;
    let room = elf
        .get_mut(room)
        .with_context(|| format!("{symbol} is not in the file"))?;
    let place = room
        .get_mut(..bytes.len())
        .with_context(|| format!("{symbol} is shorter than that"))?;
    place.copy_from_slice(bytes);
    let image = compose(kernel.flavour.arch, &elf)?;
    let artefact = |like: &Artefact, bytes: &[u8]| -> Result<Artefact> {
        let mut file = File::from(rustix::fs::memfd_create(
            "kernel",
            rustix::fs::MemfdFlags::CLOEXEC,
        )?);
        file.write_all(bytes)?;
        Ok(Artefact {
            path: like.path.clone(),
            file,
        })
    };
    Ok(Kernel {
        flavour: kernel.flavour,
        elf: artefact(&kernel.elf, &elf)?,
        image: artefact(&kernel.image, &image)?,
        loader: OnceLock::new(),
    })
}

fn compose(arch: Arch, elf: &[u8]) -> Result<Vec<u8>> {
    if arch.is_x86() {
        bzimage::compose(elf)
    } else {
        image::compose(elf)
    }
}

fn lock() -> Result<File> {
    let path = paths::out().join(".lock");
    fs::create_dir_all(paths::out()).with_context(|| format!("cannot create {}", paths::out().display()))?;
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    if file.try_lock().is_err() {
        tell!("waiting for another xtask to finish its build");
    }
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Puts a new file under the name at once: who has the old one open keeps it whole.
fn replace(path: &Path, bytes: &[u8]) -> Result<Artefact> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes).with_context(|| format!("cannot write {}", fresh.display()))?;
    fs::rename(&fresh, path).with_context(|| format!("cannot write {}", path.display()))?;
    Artefact::open(path.to_owned())
}

/// The cargo command line that builds, checks or documents `arch`'s kernel: `verb` and what comes after it are the caller's.
///
/// # Errors
/// When there is no toolchain.
pub fn cargo(arch: Arch, verb: &str, target_dir: &Path) -> Result<Command> {
    bare_cargo(verb, arch.package(), arch.target(), target_dir)
}

/// The same for any package and any target that is bare metal.
fn bare_cargo(verb: &str, package: &str, target: &str, target_dir: &Path) -> Result<Command> {
    let rust = if verb == "clippy" {
        rust::linting()
    } else {
        rust::kernel()
    };
    let rust = rust.ok_or_else(|| anyhow!("no Rust that can build a kernel"))?;
    let linker = linker::choose().ok_or_else(|| anyhow!("no linker for a kernel"))?;
    // clippy is called by its own name: cargo would look for it in CARGO_HOME first, where rustup's proxy lies.
    let mut command = rust.command(if verb == "clippy" { "cargo-clippy" } else { "cargo" });
    command
        .current_dir(paths::root())
        .arg(verb)
        .args(["--package", package, "--target", target]);
    command.args([
        "-Zjson-target-spec",
        "-Zbuild-std=core,alloc",
        "-Zbuild-std-features=compiler-builtins-mem",
    ]);
    command.arg("--target-dir").arg(target_dir);
    command
        .env(linker_variable(target), linker)
        .env("CARGO_FUTURE_INCOMPAT_REPORT_FREQUENCY", "never");
    Ok(command)
}

/// The environment variable by which cargo learns the linker for a target.
fn linker_variable(target: &str) -> String {
    let name = target.rsplit('/').next().unwrap_or(target);
    let name = name.strip_suffix(".json").unwrap_or(name);
    format!("CARGO_TARGET_{}_LINKER", name.to_uppercase().replace('-', "_"))
}

/// Adds what chooses the build.
pub fn choose(command: &mut Command, flavour: Flavour) {
    let features = [("smp", flavour.smp), ("fault-injection", flavour.faults)];
    for (feature, _) in features.iter().filter(|(_, wanted)| *wanted) {
        command.args(["--features", feature]);
    }
    if flavour.release {
        command.arg("--release");
    }
}

fn cargo_build(flavour: Flavour) -> Result<PathBuf> {
    let mut command = cargo(flavour.arch, "build", &paths::kernel_target())?;
    choose(&mut command, flavour);
    run_cargo(&mut command).with_context(|| format!("no {flavour} kernel"))
}

/// Runs a build, and finds out where the binary is.
fn run_cargo(command: &mut Command) -> Result<PathBuf> {
    command
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = Worker::start(command).context("cannot run cargo")?;
    let lines = BufReader::new(child.stdout().context("cargo has no output")?).lines();
    // Reads to the end whatever it finds, so that cargo never waits for a reader.
    let built = lines
        .map_while(Result::ok)
        .filter_map(|line| executable(&line))
        .last();
    if !child.wait()?.success() {
        bail!("it does not build");
    }
    built.ok_or_else(|| anyhow!("cargo built no binary"))
}

/// The path in a message of cargo that tells of a finished binary.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    Some(message.get("executable")?.as_str()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_found_among_cargos_messages() {
        let bin = r#"{"reason":"compiler-artifact","executable":"/t/debug/standstill-x86_64"}"#;
        assert_eq!(executable(bin), Some("/t/debug/standstill-x86_64".into()));
        assert_eq!(
            executable(r#"{"reason":"compiler-artifact","executable":null}"#),
            None
        );
        assert_eq!(executable("warning: not JSON"), None);
    }

    #[test]
    fn linkers_are_named_after_targets() {
        for (target, name) in [
            (
                "targets/i386-standstill.json",
                "CARGO_TARGET_I386_STANDSTILL_LINKER",
            ),
            ("x86_64-unknown-uefi", "CARGO_TARGET_X86_64_UNKNOWN_UEFI_LINKER"),
        ] {
            assert_eq!(linker_variable(target), name);
        }
    }

    #[test]
    fn each_flavour_has_a_place_of_its_own() {
        let flavour = Flavour {
            arch: Arch::I386,
            smp: false,
            release: true,
            faults: false,
        };
        assert!(flavour.dir().ends_with("standstill/i386-up-release"));
        assert_eq!(flavour.to_string(), "i386 UP release");
    }
}
