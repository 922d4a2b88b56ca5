//! Whether a Rust is new enough, and the one line to say if it is not.

/// Debian's releases whose updates have a Rust that is new enough, under another name than `rustc`.
const DEBIAN: [&str; 2] = ["12", "13"];

/// Why `found`, programs with what each says for its version, cannot build the workspace with this manifest, and what can be
/// done about it on this system (the text of `/etc/os-release`). `None` if they can.
pub fn refusal(manifest: &str, found: &[(&str, String)], system: &str) -> Option<String> {
    let needed = match value(manifest, "rust-version") {
        Some(needed) => needed,
        None => return Some("the root Cargo.toml does not say which Rust it needs (rust-version)".into()),
    };
    let old = |said: &str| version(said) < version(needed);
    if !found.iter().any(|(_, said)| old(said)) {
        return None;
    }
    let found: Vec<String> = found.iter().map(|(name, said)| shown(name, said)).collect();
    let (needed, found, fix) = (needed, found.join(" and "), fix(system));
    Some(format!(
        "this needs Rust {} or newer, and here are {}: {}",
        needed, found, fix
    ))
}

fn shown(name: &str, said: &str) -> String {
    match said.split_whitespace().nth(1) {
        Some(number) => format!("{} {}", name, number),
        None => format!("no {} that runs", name),
    }
}

/// How to get a newer one.
fn fix(system: &str) -> String {
    let is = |id: &str| value(system, "ID") == Some(id);
    let release = value(system, "VERSION_ID").unwrap_or("");
    if is("debian") && DEBIAN.contains(&release) {
        return "`apt-get update && apt-get install rustc-web cargo-web` as root (they take the place of rustc and cargo), \
                or https://rustup.rs"
            .into();
    }
    if is("debian") || is("ubuntu") {
        return "`apt-get install rustup` as root, then `rustup default stable`; or https://rustup.rs".into();
    }
    "see https://rustup.rs; where rustup is, `rustup update stable`".into()
}

/// The value of `key` in lines of `key=value`, with or without blanks and quotes.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let mut parts = line.splitn(2, '=');
        let name = parts.next()?.trim();
        let value = parts.next()?.trim().trim_matches('"');
        if name == key { Some(value) } else { None }
    })
}

/// The first `major.minor` in `text`; (0, 0) where there is none.
fn version(text: &str) -> (u32, u32) {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    let mut found = words.filter_map(|word| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });
    found.next().unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace.package]\nversion = \"0.1.0\"\nrust-version = \"1.95\"\n";
    const BOOKWORM: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n";
    const NOBLE: &str = "VERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n";

    fn ask(rustc: &str, cargo: &str, system: &str) -> Option<String> {
        refusal(
            MANIFEST,
            &[("rustc", rustc.into()), ("cargo", cargo.into())],
            system,
        )
    }

    #[test]
    fn an_old_rust_is_named_in_one_line_with_the_way_to_a_new_one() {
        let said = ask("rustc 1.63.0", "cargo 1.65.0", BOOKWORM).unwrap();
        assert!(
            said.starts_with("this needs Rust 1.95 or newer, and here are rustc 1.63.0 and cargo 1.65.0: "),
            "{}",
            said
        );
        assert!(said.contains("apt-get install rustc-web cargo-web"), "{}", said);
        assert_eq!(said.lines().count(), 1);
        let said = ask(
            "rustc 1.75.0 (82e1608df 2023-12-21) (built from a source tarball)",
            "cargo 1.75.0",
            NOBLE,
        );
        let said = said.unwrap();
        assert!(
            said.contains("rustc 1.75.0 and cargo 1.75.0: `apt-get install rustup`"),
            "{}",
            said
        );
        assert!(
            ask("rustc 1.94.1", "cargo 1.94.1", "")
                .unwrap()
                .contains("https://rustup.rs")
        );
    }

    #[test]
    fn the_older_of_the_two_counts() {
        assert!(ask("rustc 1.96.0", "cargo 1.85.1", BOOKWORM).is_some());
        assert!(ask("rustc 1.85.1", "cargo 1.96.0", BOOKWORM).is_some());
        assert!(
            ask("", "cargo 1.96.0", BOOKWORM)
                .unwrap()
                .contains("no rustc that runs")
        );
    }

    #[test]
    fn a_new_rust_is_let_through() {
        assert_eq!(
            ask(
                "rustc 1.95.0 (598076 2026-04-14)",
                "cargo 1.95.0 (f2d3ce0bd)",
                BOOKWORM
            ),
            None
        );
        assert_eq!(ask("rustc 1.97.0-nightly", "cargo 2.0.0", NOBLE), None);
    }

    #[test]
    fn a_manifest_without_a_version_is_said() {
        assert!(refusal("[package]", &[], "").unwrap().contains("rust-version"));
    }
}
