//! What is worth showing of a test run's output, and no more than a person can read: a model that fails under a checker may
//! print hundreds of megabytes.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

/// The longest piece of a line that is kept, bytes.
const LONGEST_LINE: u64 = 4096;
/// How many lines of news are shown as they come, and how many of those that come last.
const FIRST: usize = 400;
const LAST: usize = 100;

/// Lines, each cut off where it gets too long.
pub struct Lines<R>(pub R);

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match self.0.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return None,
            Err(error) => return Some(Err(error)),
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n') {
            line.extend_from_slice(" ...".as_bytes());
            if let Err(error) = self.0.skip_until(b'\n') {
                return Some(Err(error));
            }
        }
        Some(Ok(String::from_utf8_lossy(&line).trim_end().to_owned()))
    }
}

/// The news of a run so far.
#[derive(Default)]
pub struct News {
    shown: usize,
    kept: VecDeque<String>,
    left_out: usize,
}

impl News {
    /// Takes a line, and gives it back if it is to be shown at once.
    pub fn take(&mut self, line: String) -> Option<String> {
        if self.shown < FIRST {
            self.shown += 1;
            return Some(line);
        }
        self.kept.push_back(line);
        if self.kept.len() > LAST {
            self.kept.pop_front();
            self.left_out += 1;
        }
        None
    }

    /// What is to be shown at the end.
    pub fn rest(self) -> Vec<String> {
        let gap = (self.left_out > 0).then(|| format!("... {} lines left out ...", self.left_out));
        gap.into_iter().chain(self.kept).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        Lines(bytes).map(Result::unwrap).collect()
    }

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        let long = LONGEST_LINE as usize;
        let text = format!("one\n{}\r\n\ntwo", "x".repeat(3 * long));
        let lines = lines(text.as_bytes());
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1].len(), long + " ...".len());
        assert_eq!((lines[0].as_str(), lines[2].as_str()), ("one", ""));
        assert!(lines[3].starts_with("two"));
    }

    #[test]
    fn bytes_that_are_no_text_end_nothing() {
        assert_eq!(lines(b"a\xffb\nc\n"), ["a\u{fffd}b", "c"]);
    }

    #[test]
    fn a_flood_has_a_beginning_and_an_end() {
        let mut news = News::default();
        let shown: Vec<String> = (0..10_000).filter_map(|n| news.take(n.to_string())).collect();
        assert_eq!(shown.len(), FIRST);
        let rest = news.rest();
        assert_eq!(rest.len(), LAST + 1);
        assert_eq!(
            rest[0],
            format!("... {} lines left out ...", 10_000 - FIRST - LAST)
        );
        assert_eq!(rest[LAST], "9999");
        assert!(News::default().rest().is_empty());
    }
}
