//! Hands the compiler's version to the banner.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|o| String::from_utf8(o.stdout).ok());
    // "rustc 1.96.0 (hash date) (remark)": the first two words say enough.
    let words = version.unwrap_or_default();
    let short = words.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    println!(
        "cargo:rustc-env=STANDSTILL_RUSTC={}",
        if short.is_empty() { "rustc ?" } else { &short }
    );
}
