//! Firmware clears the screen, goes about on it and changes its colours; its text is worth reading, and nothing else.
//!
//! The kernel's own escape sequences, with which its monitor edits a line, go through: from its first line to its last.

/// The state between one byte of the console and the next.
#[derive(Debug, Default)]
pub struct Escapes {
    kernel: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Begun,
    /// After ESC `[`: parameters, up to a letter.
    Sequence,
}

impl Escapes {
    /// Whether `byte` is text, or the kernel's.
    pub fn lets_through(&mut self, byte: u8) -> bool {
        if self.kernel {
            return true;
        }
        let (state, text) = match (self.state, byte) {
            (_, 0x1b) => (State::Begun, false),
            (State::Begun, b'[') => (State::Sequence, false),
            (State::Sequence, b' '..=b'?') => (State::Sequence, false),
            // ECMA-48, 5.4: a letter, or one of its neighbours, ends it.
            (State::Begun, _) | (State::Sequence, b'@'..=b'~') => (State::Text, false),
            // What is neither does not belong to it.
            (State::Text | State::Sequence, _) => (State::Text, true),
        };
        self.state = state;
        text
    }

    /// Takes note of a whole line: whose is it?
    pub fn line(&mut self, line: &str) {
        if line.starts_with("@end ") {
            // Firmware's turn comes next, if any does.
            self.kernel = false;
        } else if is_log(line) {
            self.kernel = true;
        }
    }
}

/// `[    0.001234] text`.
fn is_log(line: &str) -> bool {
    let time = line.strip_prefix('[').and_then(|line| line.split_once("] "));
    time.is_some_and(|(time, _)| time.trim_start().parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(escapes: &mut Escapes, bytes: &str) -> String {
        let bytes = bytes.bytes().filter(|byte| escapes.lets_through(*byte));
        String::from_utf8(bytes.collect()).unwrap()
    }

    #[test]
    fn firmwares_text_is_left() {
        let mut escapes = Escapes::default();
        let said = "\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: loading\r\n\x1bcnext \x1b[1\r\nlines";
        assert_eq!(through(&mut escapes, said), "BdsDxe: loading\r\nnext \r\nlines");
        assert_eq!(through(&mut escapes, "\x1b["), "");
        assert_eq!(through(&mut escapes, "0;37;40mcut"), "cut", "in two pieces");
    }

    #[test]
    fn the_kernel_may_do_as_it_likes() {
        let mut escapes = Escapes::default();
        escapes.line("[fs0] is no log");
        assert_eq!(through(&mut escapes, "\x1b[K"), "");
        escapes.line("[    0.000812] Standstill 0.1.0");
        assert_eq!(through(&mut escapes, "\x1b[K"), "\x1b[K");
        escapes.line("@end how=reboot");
        assert_eq!(through(&mut escapes, "\x1b[2J"), "");
    }
}
