//! Printing. Output that is lost is an error at the end, and never stops what is being done: a reader that has seen enough,
//! as in `cargo xtask matrix --list | head -1`, is no error, but a full disk is one.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

/// The first failure to write to an output that has a reader.
static LOST: OnceLock<String> = OnceLock::new();

/// `println!`, and what cannot be written is kept in mind.
macro_rules! say {
    ($($arg:tt)*) => { $crate::out::line(&mut std::io::stdout().lock(), "standard output", format_args!($($arg)*)) };
}

/// `eprintln!`, likewise.
macro_rules! tell {
    () => { $crate::out::tell!("") };
    ($($arg:tt)*) => { $crate::out::line(&mut std::io::stderr().lock(), "standard error", format_args!($($arg)*)) };
}

pub(crate) use {say, tell};

/// Writes a line to `out`, which is called `name`.
pub fn line(out: &mut impl Write, name: &str, text: fmt::Arguments<'_>) {
    note(name, writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Keeps in mind that writing to the output called `name` failed, unless its reader went away. Says whether it did fail.
pub fn note(name: &str, written: io::Result<()>) -> bool {
    let Err(error) = written else { return false };
    if error.kind() != ErrorKind::BrokenPipe {
        LOST.get_or_init(|| format!("{name} cannot be written: {error}"));
    }
    true
}

/// What was lost of all that was printed, if anything was.
pub fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Writes `text`, which somebody asked for in a form for programs, to standard output.
///
/// # Errors
/// When it cannot be written, a closed pipe included: half of it is worth nothing.
pub fn data(text: &str) -> Result<()> {
    data_to(&mut io::stdout().lock(), text)
}

fn data_to(out: &mut impl Write, text: &str) -> Result<()> {
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written
        .map_err(|error| anyhow!("{error}"))
        .context("the JSON cannot be written to standard output")
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    /// An output without a reader.
    fn closed() -> impl Write {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        writer
    }

    #[test]
    fn a_reader_that_left_is_no_loss_and_a_full_disk_is() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        line(&mut closed(), "the pipe", format_args!("text"));
        assert_eq!(lost(), None);
        line(&mut full, "the disk", format_args!("text"));
        let said = lost().unwrap();
        assert!(said.starts_with("the disk cannot be written: No space"), "{said}");
    }

    #[test]
    fn data_are_an_error_in_any_case() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        assert!(data_to(&mut full, "{}").is_err());
        assert!(data_to(&mut closed(), "{}").is_err());
        let mut good = Vec::new();
        data_to(&mut good, "{}").unwrap();
        assert_eq!(good, b"{}\n");
    }
}
