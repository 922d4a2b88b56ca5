//! Notes which rustc compiles the launcher: the one that would compile xtask. Cargo does so anew when it is another.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let text = output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    println!(
        "cargo:rustc-env=LAUNCHER_RUSTC={}",
        text.lines().next().unwrap_or("")
    );
    println!("cargo:rerun-if-changed=build.rs");
}
