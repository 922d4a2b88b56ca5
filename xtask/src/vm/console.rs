//! The guest's serial console: shown as it comes, read line by line, annotated where it names addresses.

mod names;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use self::names::{Origin, annotate};
use super::escapes::Escapes;
use super::record::{self, Record};
use super::symbolise::Symbols;
use crate::out;

/// Where the console goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// To standard output, carriage returns included: a terminal in raw mode needs them.
    Terminal,
    /// To standard output, as plain text.
    Plain,
    /// To standard error, as plain text; standard output is for something else.
    Error,
    /// Nowhere.
    Hidden,
}

/// Kept of a console, for reports of failures. A guest that prints for ever must not fill the host.
const LONGEST_TEXT: usize = 1 << 20;
/// A guest that never ends its line does not either.
const LONGEST_LINE: usize = 64 << 10;

/// A console being read.
pub struct Console {
    show: Show,
    symbols: Option<Symbols>,
    started: Instant,
    line: Vec<u8>,
    /// A carriage return came; what it means depends on the next byte.
    returned: bool,
    /// What firmware does to a terminal, and nobody wants done to theirs.
    escapes: Escapes,
    /// What a backtrace begins with if its first frame is where the CPU was, and not where a call returns to.
    origin: Origin,
    /// What is to be shown of the bytes being fed.
    shown: Vec<u8>,
    /// What the guest said, annotated.
    pub text: String,
    pub records: Vec<Record>,
    /// Whether nothing was said since the last reset.
    pub silent: bool,
    /// From the start to the readiness line.
    pub ready: Option<Duration>,
}

impl Console {
    /// A console that begins now.
    pub fn new(show: Show, symbols: Option<Symbols>) -> Self {
        Self {
            show,
            symbols,
            started: Instant::now(),
            line: Vec::new(),
            returned: false,
            escapes: Escapes::default(),
            origin: Origin::Call,
            shown: Vec::new(),
            text: String::new(),
            records: Vec::new(),
            silent: true,
            ready: None,
        }
    }

    /// Takes what the guest wrote. Bytes of an unfinished line are shown at once: they may be a prompt or an echo.
    ///
    /// Where nobody reads it, or it cannot be written, it goes on unseen: how the machine ends matters all the same.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.silent &= bytes.is_empty();
        for &byte in bytes {
            if self.escapes.lets_through(byte) {
                self.byte(byte);
            }
        }
        let shown = std::mem::take(&mut self.shown);
        self.write(&shown);
    }

    fn byte(&mut self, byte: u8) {
        if byte == b'\n' {
            self.returned = false;
            return self.end_line();
        }
        if std::mem::replace(&mut self.returned, byte == b'\r') {
            // A carriage return without a line feed: the line is being written anew.
            self.shown.push(b'\r');
            self.line.clear();
        }
        if byte != b'\r' {
            self.shown.push(byte);
            if self.line.len() < LONGEST_LINE {
                self.line.push(byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        self.escapes.line(&line);
        let notes = self.read(&line);
        let end = if self.show == Show::Terminal { "\r\n" } else { "\n" };
        self.shown.extend_from_slice(notes.join(end).as_bytes());
        self.shown.extend_from_slice(end.as_bytes());
        if self.text.len() < LONGEST_TEXT {
            self.text.extend([&line, &notes.join("\n"), "\n"]);
        }
    }

    /// Takes note of a whole line. What comes back goes to its end, and below it.
    fn read(&mut self, line: &str) -> Vec<String> {
        let mut mismatch = line.split_once("build-id ").and_then(|(_, id)| self.check(id));
        if let Some(record) = Record::parse(line) {
            if record.kind == "ready" {
                self.ready.get_or_insert(self.started.elapsed());
            }
            mismatch = mismatch.or_else(|| self.check(record.get("build_id")?));
            self.records.push(record);
        }
        let before = self.origin;
        self.origin = before.after(line);
        match (mismatch, &self.symbols) {
            (Some(note), _) => vec![String::new(), note],
            (None, Some(symbols)) => annotate(line, symbols, before, self.origin),
            (None, None) => Vec::new(),
        }
    }

    /// Drops the symbols if they belong to another kernel than the one that runs, and says so.
    fn check(&mut self, id: &str) -> Option<String> {
        let id = id.split_whitespace().next()?;
        let refusal = self.symbols.as_ref()?.refusal(id)?;
        self.symbols = None;
        Some(format!("xtask: {refusal}"))
    }

    /// The machine was reset, and comes up again: what was said before is over.
    pub fn was_reset(&mut self) {
        self.note("xtask: the machine was reset");
        self.records.push(Record {
            kind: record::RESET.into(),
            fields: Vec::new(),
        });
        self.silent = true;
    }

    /// Shows a line of xtask's own, apart from what the guest has left unfinished.
    pub fn note(&mut self, text: &str) {
        let end = if self.show == Show::Terminal { "\r\n" } else { "\n" };
        let fresh = if self.line.is_empty() { "" } else { end };
        self.line.clear();
        let lines = text.replace('\n', end);
        self.write(format!("{fresh}{lines}{end}").as_bytes());
        if self.text.len() < LONGEST_TEXT {
            self.text.extend([text, "\n"]);
        }
    }

    /// The names, if the kernel that runs is not known to be another.
    pub const fn symbols(&self) -> Option<&Symbols> {
        self.symbols.as_ref()
    }

    /// The functions at `address`, innermost first.
    pub fn frames(&self, address: u64) -> Vec<String> {
        self.symbols
            .as_ref()
            .map_or_else(Vec::new, |symbols| symbols.frames(address))
    }

    fn write(&mut self, bytes: &[u8]) {
        let (name, written) = match self.show {
            Show::Hidden => return,
            Show::Error => ("standard error", io::stderr().lock().write_all(bytes)),
            Show::Terminal | Show::Plain => {
                let mut out = io::stdout().lock();
                let written = out.write_all(bytes).and_then(|()| out.flush());
                ("standard output", written)
            }
        };
        if out::note(name, written) {
            self.show = Show::Hidden;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::symbolise;

    fn fed(parts: &[&str]) -> Console {
        let mut console = Console::new(Show::Hidden, None);
        for part in parts {
            console.feed(part.as_bytes());
        }
        console
    }

    #[test]
    fn records_are_found_however_the_bytes_are_cut() {
        for parts in [
            &["@ready cpus=1/1\r\n"][..],
            &["@re", "ady cpus=1/1\r", "\n"],
            &["x\r\n@ready cpus=1/1\n", "@rea"],
        ] {
            let console = fed(parts);
            assert_eq!(console.records.len(), 1, "{parts:?}");
            assert_eq!(console.records[0].get("cpus"), Some("1/1"), "{parts:?}");
            assert!(console.ready.is_some());
        }
    }

    #[test]
    fn a_line_written_anew_counts_as_written_last() {
        assert_eq!(fed(&["> help\r@end how=halt\r\n"]).records.len(), 1);
        assert_eq!(fed(&["> @end how=halt\r\n"]).records.len(), 0);
    }

    #[test]
    fn unfinished_lines_are_shown_and_carriage_returns_wait() {
        let mut console = Console::new(Show::Terminal, None);
        "> he\r".bytes().for_each(|byte| console.byte(byte));
        assert_eq!(console.shown, b"> he");
        "\n".bytes().for_each(|byte| console.byte(byte));
        assert_eq!(console.shown, b"> he\r\n");
    }

    #[test]
    fn memory_is_bounded() {
        let mut console = Console::new(Show::Hidden, None);
        for _ in 0..40 {
            console.feed(&[b'x'; 64 << 10]);
            console.feed(b"\n");
        }
        assert!(console.text.len() <= LONGEST_TEXT + LONGEST_LINE + 1);
    }

    /// The console of a kernel of this build, with one backtrace of one frame.
    fn panicked(build_id: &str, address: u64) -> String {
        let mut console = Console::new(Show::Hidden, Some(symbolise::tests::own()));
        let text = format!("[    0.1] build-id {build_id}\nbacktrace of CPU 0:\n  #0 {address:#018x}\n");
        console.feed(text.as_bytes());
        console.text
    }

    #[test]
    fn frames_have_names_and_what_was_inlined_has_a_line_of_its_own() {
        let symbols = symbolise::tests::own();
        // Unoptimised, no function begins with what was inlined into it.
        const NEAR: u64 = 128;
        let mut near = symbols.starts().flat_map(|start| start..start + NEAR);
        let inlined = near.find(|address| symbols.frames(*address).len() > 1);
        let address = inlined.expect("nothing is inlined near the start of any of our functions");
        let frames = symbols.frames(address);
        let text = panicked(symbols.id(), address);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines[0], format!("  #0 {address:#018x} {}", frames[0]));
        for (line, frame) in lines[1..].iter().zip(&frames[1..]) {
            assert_eq!(*line, format!("       inlined into {frame}"));
        }
        assert_eq!(lines.len(), frames.len());
    }

    #[test]
    fn a_kernel_of_another_build_gets_no_names() {
        let symbols = symbolise::tests::own();
        let address = symbols
            .starts()
            .find(|address| !symbols.frames(*address).is_empty())
            .unwrap();
        let text = panicked(&"ab".repeat(20), address);
        assert!(
            text.contains(&symbols.refusal(&"ab".repeat(20)).unwrap()),
            "{text}"
        );
        assert!(text.ends_with(&format!("  #0 {address:#018x}\n")), "{text}");
    }

    /// All that one sees of a kernel that is told to be quiet and panics on its way.
    #[test]
    fn a_panic_says_whose_it_is() {
        let symbols = symbolise::tests::own();
        let mut named = symbols
            .starts()
            .filter(|address| !symbols.frames(*address).is_empty());
        let address = named.next().unwrap();
        let said = |build_id: &str| {
            let mut console = Console::new(Show::Hidden, Some(symbolise::tests::own()));
            let text = format!(
                "@panic cpu=0 build_id={build_id} why=\"\"\nbacktrace:\n  #0 {:#x}\n",
                address + 1
            );
            console.feed(text.as_bytes());
            console.text
        };
        assert!(said(symbols.id()).contains(&symbols.frames(address)[0]));
        let other = said(&"cd".repeat(20));
        assert!(other.contains(": no names\n"), "{other}");
        assert!(!other.contains(&symbols.frames(address)[0]), "{other}");
    }
}
