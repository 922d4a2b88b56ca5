//! Line editing for a plain terminal: arrows, Home, End, Backspace, Delete, Ctrl-A/E/U/K/W/C/L, and a history.

use core::str;

use arrayvec::{ArrayString, ArrayVec};

use super::write;

/// Longest line.
const LINE: usize = 120;
/// Lines remembered.
const HISTORY: usize = 16;
const PROMPT: &[u8] = b"standstill> ";

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(u8),
    Enter,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    KillAll,
    KillRest,
    KillWord,
    Cancel,
    Redraw,
}

/// How far into an escape sequence the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Started,
    Bracket,
    Digit(u8),
}

/// A line being typed.
pub(super) struct Editor {
    line: ArrayVec<u8, LINE>,
    at: usize,
    history: ArrayVec<ArrayString<LINE>, HISTORY>,
    /// Which line of the history is shown; its length for the new one.
    recalled: usize,
    entered: ArrayString<LINE>,
    escape: Escape,
    prompted: bool,
    after_cr: bool,
}

impl Editor {
    pub(super) const fn new() -> Self {
        Self {
            line: ArrayVec::new_const(),
            at: 0,
            history: ArrayVec::new_const(),
            recalled: 0,
            entered: ArrayString::new_const(),
            escape: Escape::None,
            prompted: false,
            after_cr: false,
        }
    }

    pub(super) fn prompt(&mut self) {
        write(PROMPT);
    }

    pub(super) fn prompt_once(&mut self) {
        if !core::mem::replace(&mut self.prompted, true) {
            self.prompt();
        }
    }

    /// Turns a byte into a key; `None` inside an escape sequence, and for what means nothing.
    pub(super) fn decode(&mut self, byte: u8) -> Option<Key> {
        let after_cr = core::mem::replace(&mut self.after_cr, byte == b'\r');
        match core::mem::replace(&mut self.escape, Escape::None) {
            Escape::None => self.decode_plain(byte, after_cr),
            Escape::Started => {
                self.escape = if matches!(byte, b'[' | b'O') {
                    Escape::Bracket
                } else {
                    Escape::None
                };
                None
            }
            Escape::Bracket if byte.is_ascii_digit() => {
                self.escape = Escape::Digit(byte);
                None
            }
            Escape::Bracket => match byte {
                b'A' => Some(Key::Up),
                b'B' => Some(Key::Down),
                b'C' => Some(Key::Right),
                b'D' => Some(Key::Left),
                b'H' => Some(Key::Home),
                b'F' => Some(Key::End),
                _ => None,
            },
            Escape::Digit(digit) => match (digit, byte) {
                (b'1' | b'7', b'~') => Some(Key::Home),
                (b'4' | b'8', b'~') => Some(Key::End),
                (b'3', b'~') => Some(Key::Delete),
                _ => None,
            },
        }
    }

    fn decode_plain(&mut self, byte: u8, after_cr: bool) -> Option<Key> {
        match byte {
            b'\n' if after_cr => None,
            b'\r' | b'\n' => Some(Key::Enter),
            0x08 | 0x7f => Some(Key::Backspace),
            0x01 => Some(Key::Home),
            0x02 => Some(Key::Left),
            0x03 => Some(Key::Cancel),
            0x05 => Some(Key::End),
            0x06 => Some(Key::Right),
            0x0b => Some(Key::KillRest),
            0x0c => Some(Key::Redraw),
            0x0e => Some(Key::Down),
            0x10 => Some(Key::Up),
            0x15 => Some(Key::KillAll),
            0x17 => Some(Key::KillWord),
            0x1b => {
                self.escape = Escape::Started;
                None
            }
            b' '..=b'~' => Some(Key::Char(byte)),
            _ => None,
        }
    }

    /// Does what the key says; the line, when it was Enter.
    pub(super) fn press(&mut self, key: Key) -> Option<&str> {
        match key {
            Key::Enter => return Some(self.enter()),
            Key::Char(byte) if !self.line.is_full() => {
                self.line.insert(self.at, byte);
                self.at += 1;
                if self.at == self.line.len() {
                    write(&[byte]);
                    return None;
                }
            }
            Key::Char(_) => write(b"\x07"),
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.line.remove(self.at);
            }
            Key::Delete if self.at < self.line.len() => drop(self.line.remove(self.at)),
            Key::Backspace | Key::Delete => {}
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = (self.at + 1).min(self.line.len()),
            Key::Home => self.at = 0,
            Key::End => self.at = self.line.len(),
            Key::Up => self.recall(self.recalled.saturating_sub(1)),
            Key::Down => self.recall(self.recalled + 1),
            Key::KillAll => drop(self.line.drain(..core::mem::take(&mut self.at))),
            Key::KillRest => self.line.truncate(self.at),
            Key::KillWord => self.kill_word(),
            Key::Cancel => {
                write(b"^C\r\n");
                self.set(b"");
            }
            Key::Redraw => write(b"\x1b[H\x1b[2J"),
        }
        self.redraw();
        None
    }

    fn enter(&mut self) -> &str {
        write(b"\r\n");
        self.entered.clear();
        // Only printable ASCII gets into the line, and both are equally long.
        self.entered
            .push_str(str::from_utf8(&self.line).unwrap_or_default());
        self.set(b"");
        if !self.entered.trim().is_empty() && self.history.last() != Some(&self.entered) {
            if self.history.is_full() {
                self.history.remove(0);
            }
            self.history.push(self.entered);
        }
        self.recalled = self.history.len();
        &self.entered
    }

    fn set(&mut self, text: &[u8]) {
        self.line.clear();
        self.line.extend(text.iter().copied().take(LINE));
        self.at = self.line.len();
    }

    fn recall(&mut self, which: usize) {
        self.recalled = which.min(self.history.len());
        let text = self.history.get(self.recalled).copied().unwrap_or_default();
        self.set(text.as_bytes());
    }

    fn kill_word(&mut self) {
        let before = &self.line[..self.at];
        let end = before.iter().rposition(|b| *b != b' ').map_or(0, |p| p + 1);
        let start = before[..end]
            .iter()
            .rposition(|b| *b == b' ')
            .map_or(0, |p| p + 1);
        self.line.drain(start..self.at);
        self.at = start;
    }

    /// Writes the line anew: to its start, the text, clear the rest, back to the cursor.
    fn redraw(&self) {
        let mut out = ArrayVec::<u8, { LINE * 2 + 64 }>::new();
        // The array holds the longest line and all that goes around it.
        let _ = out.try_extend_from_slice(b"\r");
        let _ = out.try_extend_from_slice(PROMPT);
        let _ = out.try_extend_from_slice(&self.line);
        let _ = out.try_extend_from_slice(b"\x1b[K");
        for _ in self.at..self.line.len() {
            let _ = out.try_push(0x08);
        }
        write(&out);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::*;

    fn type_in(editor: &mut Editor, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for byte in text.bytes() {
            let key = editor.decode(byte);
            if let Some(line) = key.and_then(|k| editor.press(k)) {
                lines.push(line.to_string());
            }
        }
        lines
    }

    #[test]
    fn lines_are_edited() {
        let mut e = Editor::new();
        assert_eq!(type_in(&mut e, "helq\x7fp\r"), ["help"]);
        assert_eq!(type_in(&mut e, "ab\x1b[Dx\r\n"), ["axb"]);
        assert_eq!(type_in(&mut e, "one two \x17three\n"), ["one three"]);
        assert_eq!(type_in(&mut e, "junk\x03cpus\r"), ["cpus"]);
        assert_eq!(type_in(&mut e, "abc\x01\x1b[3~\x0b\r"), [""]);
        assert_eq!(type_in(&mut e, "tail\x02\x02\x15\r"), ["il"]);
    }

    #[test]
    fn the_history_comes_back() {
        let mut e = Editor::new();
        type_in(&mut e, "one\rtwo\r");
        assert_eq!(type_in(&mut e, "\x1b[A\x1b[A\r"), ["one"]);
        assert_eq!(type_in(&mut e, "\x1b[A\x1b[A\x1b[A\x1b[B\r"), ["two"]);
        (0..40).for_each(|n| drop(type_in(&mut e, &std::format!("line {n}\r"))));
        assert_eq!(e.history.len(), HISTORY);
    }

    #[test]
    fn no_input_does_harm() {
        let mut e = Editor::new();
        for seed in 0..200_000u32 {
            let byte = (seed.wrapping_mul(2_654_435_761) >> 19) as u8;
            if let Some(key) = e.decode(byte) {
                e.press(key);
            }
        }
        type_in(&mut e, &"x".repeat(500));
        assert!(e.line.len() <= LINE);
    }
}
