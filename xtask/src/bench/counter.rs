//! The plugin that counts.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::host;
use crate::signals::Worker;

/// Builds it and says where it is.
///
/// # Errors
/// When it does not build.
pub fn build() -> Result<PathBuf> {
    let mut command = host::cargo()?;
    command.args([
        "build",
        "--quiet",
        "--package",
        "insn-counter",
        "--message-format",
        "json-render-diagnostics",
    ]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = Worker::start(&mut command)
        .and_then(Worker::output)
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "the counter does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    messages
        .lines()
        .find_map(library)
        .context("cargo built no counter")
}

/// The shared library in a message of cargo.
fn library(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let files = message.get("filenames")?.as_array()?;
    files
        .iter()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with("libinsn_counter.so"))
        .map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found() {
        let line = r#"{"reason":"compiler-artifact","filenames":["/t/libinsn_counter.so"]}"#;
        assert_eq!(library(line), Some("/t/libinsn_counter.so".into()));
        assert_eq!(library(r#"{"reason":"build-finished"}"#), None);
    }
}
