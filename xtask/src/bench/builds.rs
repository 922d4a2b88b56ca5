//! How long a kernel takes to build: with nothing there, and after a change in one file.

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use serde::{Serialize, Serializer};

use crate::kernel::{self, Flavour};
use crate::paths;
use crate::progress::Spinner;
use crate::signals::Worker;

/// Wall times of one architecture's SMP kernel, unoptimised: what a developer waits for.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Builds {
    pub flavour: Flavour,
    /// `core`, `alloc`, every crate, the kernel.
    #[serde(serialize_with = "seconds")]
    pub cold: Duration,
    /// After a change in the architecture's `main.rs`.
    #[serde(serialize_with = "seconds")]
    pub incremental: Duration,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f32(duration.as_secs_f32())
}

/// Builds `flavour` twice in a folder of its own, which is removed again.
///
/// # Errors
/// When it does not build.
pub fn measure(flavour: Flavour) -> Result<Builds> {
    let dir = paths::out().join("bench-build");
    if dir.exists() {
        // Left behind by a run that was cut off.
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    let spinner = Spinner::start(&format!("building {flavour} from nothing"));
    let measured = (|| {
        let cold = timed(flavour, &dir)?;
        let main = paths::root()
            .join("arch")
            .join(flavour.arch.name())
            .join("src/main.rs");
        let file = File::options()
            .append(true)
            .open(&main)
            .with_context(|| format!("cannot open {}", main.display()))?;
        file.set_modified(SystemTime::now())
            .with_context(|| format!("cannot touch {}", main.display()))?;
        Ok(Builds {
            flavour,
            cold,
            incremental: timed(flavour, &dir)?,
        })
    })();
    drop(spinner);
    std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    measured
}

fn timed(flavour: Flavour, dir: &std::path::Path) -> Result<Duration> {
    let mut command = kernel::cargo(flavour.arch, "build", dir)?;
    kernel::choose(&mut command, flavour);
    let started = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = Worker::start(&mut command)
        .and_then(Worker::output)
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "{flavour} does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(started.elapsed())
}
