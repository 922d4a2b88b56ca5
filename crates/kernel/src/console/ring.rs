//! The log ring: the last lines, with their time, kept in memory for `log`, for a debugger, for a port found late.

use core::fmt;

use super::Level;
use crate::clock;

/// Longest line that is kept in one piece.
pub const LINE_BYTES: usize = 116;

/// Lines kept.
pub(super) const SLOTS: usize = 256;

/// One line of the log.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Record {
    cycles: u64,
    level: Level,
    len: u8,
    text: [u8; LINE_BYTES],
}

impl Record {
    /// All zeros, so that the ring costs no room in the image.
    const EMPTY: Self = Self {
        cycles: 0,
        level: Level::Emerg,
        len: 0,
        text: [0; LINE_BYTES],
    };

    /// A line of at most [`LINE_BYTES`]; more is cut.
    pub fn new(level: Level, cycles: u64, text: &[u8]) -> Self {
        let len = text.len().min(LINE_BYTES);
        let mut record = Self {
            cycles,
            level,
            len: len as u8,
            ..Self::EMPTY
        };
        record.text[..len].copy_from_slice(&text[..len]);
        record
    }

    /// The text; bytes that are not UTF-8 end it.
    pub fn text(&self) -> &str {
        let bytes = &self.text[..usize::from(self.len)];
        let good = core::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
        core::str::from_utf8(&bytes[..good]).unwrap_or_default()
    }

    /// How much it mattered.
    pub fn level(&self) -> Level {
        self.level
    }
}

impl fmt::Display for Record {
    /// As on the console: seconds since the kernel's entry, then the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = clock::ns_at(self.cycles) / 1000;
        write!(f, "[{:5}.{:06}] {}", us / 1_000_000, us % 1_000_000, self.text())
    }
}

/// The ring. Records are numbered from 0 for ever; the last [`SLOTS`] are kept.
#[derive(Debug)]
pub(super) struct Ring {
    slots: [Record; SLOTS],
    next: usize,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Ring {
    pub(super) const fn new() -> Self {
        Self {
            slots: [Record::EMPTY; SLOTS],
            next: 0,
        }
    }

    pub(super) fn push(&mut self, record: Record) {
        self.slots[self.next % SLOTS] = record;
        self.next += 1;
    }

    /// Number of the record that comes next.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    pub(super) fn get(&self, number: usize) -> Option<Record> {
        let kept = self.next.saturating_sub(SLOTS)..self.next;
        kept.contains(&number).then(|| self.slots[number % SLOTS])
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use super::*;

    fn record(n: usize) -> Record {
        Record::new(Level::Info, 0, format!("line {n}").as_bytes())
    }

    #[test]
    fn the_ring_keeps_the_last_lines_and_forgets_the_rest() {
        let mut ring = Ring::new();
        assert!(ring.get(0).is_none());
        (0..SLOTS + 3).for_each(|n| ring.push(record(n)));
        assert!(ring.get(2).is_none() && ring.get(SLOTS + 3).is_none());
        assert_eq!(ring.get(3).unwrap().text(), "line 3");
        assert_eq!(ring.get(SLOTS + 2).unwrap().text(), format!("line {}", SLOTS + 2));
    }

    #[test]
    fn a_record_cut_inside_a_character_stays_text() {
        let mut long = [b'a'; LINE_BYTES + 1];
        long[LINE_BYTES - 1] = 0xc3;
        long[LINE_BYTES] = 0xa9;
        assert_eq!(Record::new(Level::Info, 0, &long).text().len(), LINE_BYTES - 1);
    }
}
