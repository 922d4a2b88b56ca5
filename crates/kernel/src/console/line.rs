//! Cuts formatted text into lines.

use core::fmt;

use arrayvec::ArrayVec;

/// Collects text and hands it on a line at a time, so that lines of different CPUs do not mix. Lines longer than `N`
/// bytes are cut and go on in the next.
pub struct LineBuffer<const N: usize, F: FnMut(&[u8])> {
    bytes: ArrayVec<u8, N>,
    sink: F,
    any: bool,
}

impl<const N: usize, F: FnMut(&[u8])> LineBuffer<N, F> {
    /// An empty line that will go to `sink`, without its newline.
    pub fn new(sink: F) -> Self {
        Self {
            bytes: ArrayVec::new(),
            sink,
            any: false,
        }
    }

    /// Ends the last line; an empty text is one empty line.
    pub fn finish(mut self) {
        if !self.bytes.is_empty() || !self.any {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        (self.sink)(&self.bytes);
        self.bytes.clear();
        self.any = true;
    }

    fn push(&mut self, byte: u8) {
        if self.bytes.is_full() {
            self.end_line();
        }
        self.bytes.push(byte);
    }
}

impl<const N: usize, F: FnMut(&[u8])> fmt::Write for LineBuffer<N, F> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for byte in s.bytes() {
            match byte {
                b'\n' => self.end_line(),
                byte => self.push(byte),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use core::fmt::Write as _;
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        let mut buffer =
            LineBuffer::<40, _>::new(|l: &[u8]| out.push(String::from_utf8_lossy(l).into_owned()));
        texts.iter().for_each(|t| buffer.write_str(t).unwrap());
        buffer.finish();
        out
    }

    #[test]
    fn text_becomes_lines() {
        assert_eq!(lines(&["a", "b\nc"]), ["ab", "c"]);
        assert_eq!(lines(&["a\n"]), ["a"]);
        assert_eq!(lines(&[]), [""]);
        assert_eq!(lines(&["\n\n"]), ["", ""]);
    }

    #[test]
    fn a_long_line_is_cut_and_nothing_is_lost() {
        let long = "x".repeat(43);
        assert_eq!(lines(&[&long]), [&long[..40], "xxx"]);
    }
}
