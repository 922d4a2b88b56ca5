//! Where things lie.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the workspace, fixed when xtask was built.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in a folder of the workspace")
}

/// Cargo's target directory, as the caller's environment has it.
pub fn target() -> PathBuf {
    ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]
        .iter()
        .find_map(env::var_os)
        .filter(|dir| !dir.is_empty())
        .map_or_else(|| root().join("target"), |dir| root().join(dir))
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
