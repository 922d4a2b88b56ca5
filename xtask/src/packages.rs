//! The crates that others can use: what is in their packages, whether these build outside of this workspace, on the host's
//! toolchain and for bare metal, and whether a kernel made of one of them does what it says.

mod contents;
mod outside;
mod stories;

use std::path::PathBuf;

use anyhow::Result;

use crate::needs::{self, Install, Need};
use crate::out::say;
use crate::paths;

/// As packages are called, and what cargo names their library. Of `smp-stop` there is an example that boots.
const PACKAGES: [&str; 7] = [
    "standstill-cpumask",
    "standstill-percpu",
    "standstill-paging",
    "standstill-trace",
    "boot-info",
    "acpi-info",
    "smp-stop",
];

/// What no run passes that it should not, and what was found.
struct Count {
    passed: u64,
    failed: u64,
}

impl Count {
    fn add(&mut self, what: &str, outcome: Result<()>) -> bool {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                say!("ok    {what}");
                true
            }
            Err(error) => {
                self.failed += 1;
                say!("FAIL  {what}: {error:#}");
                false
            }
        }
    }
}

/// Packs them all, and tries the packages. Returns how many checks passed, and failed.
pub fn run(install: Install) -> (u64, u64) {
    let mut count = Count { passed: 0, failed: 0 };
    let packed = contents::pack();
    let is_packed = packed
        .as_ref()
        .map(|_| ())
        .map_err(|error| anyhow::anyhow!("{error:#}"));
    if count.add("cargo package", is_packed)
        && let Ok(packed) = packed
    {
        try_all(&packed, install, &mut count);
    }
    (count.passed, count.failed)
}

fn try_all(packed: &[contents::Package], install: Install, count: &mut Count) {
    for package in packed {
        count.add(
            &format!("the contents of {}", package.file),
            contents::judge(package),
        );
    }
    let outside = match outside::unpack(packed) {
        Ok(outside) => outside,
        Err(error) => {
            count.add("unpacking them", Err(error));
            return;
        }
    };
    count.add(&format!("they build for {}", outside::BUILT), outside.build());
    count.add(
        &format!("they are right for {}", outside::CHECKED),
        outside.check(),
    );
    count.add(
        "the control: one that needs an operating system does not",
        outside.control(),
    );
    let kernel = outside.example();
    let is_built = kernel
        .as_ref()
        .map(|_| ())
        .map_err(|error| anyhow::anyhow!("{error:#}"));
    if count.add("the example of smp-stop builds against the package", is_built)
        && let Ok(kernel) = kernel
    {
        match needs::ensure(&[Need::QemuRiscv64], install) {
            Ok(()) => stories::play(&kernel, count),
            Err(error) => say!("skip  the stories of the example: {error:#}"),
        }
    }
}

/// Where packages and what is built of them lie: below the target folder, but for the sources, which must not be below the
/// workspace that they are to do without.
fn folder() -> PathBuf {
    paths::out().join("packages")
}
