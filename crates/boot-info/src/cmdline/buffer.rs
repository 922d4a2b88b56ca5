//! Our own copy of the command line: the loader's may be overwritten.

use core::fmt;

use super::Params;
use crate::phys::{PhysMap, StrEnd, read_cstr};

/// A copy of the loader's command line, at most [`Self::CAPACITY`] bytes.
#[derive(Clone)]
pub struct CommandLine {
    bytes: [u8; Self::CAPACITY],
    len: usize,
    truncated: bool,
}

impl CommandLine {
    /// Bytes kept; the rest is cut off and [`Self::truncated`] says so. Linux keeps 2048 on most
    /// architectures.
    pub const CAPACITY: usize = 4096;

    /// An empty line.
    pub const EMPTY: Self = Self {
        bytes: [0; Self::CAPACITY],
        len: 0,
        truncated: false,
    };

    /// Replaces the line by a copy of `bytes` up to the first NUL.
    pub fn set(&mut self, bytes: &[u8]) {
        self.clear();
        self.append(bytes);
        self.clean();
    }

    /// The line. Text that is not UTF-8 had its foreign bytes replaced by `?` when it came in.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The line as bytes, without a NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Whether the loader's line was longer than what is kept.
    #[must_use]
    pub const fn truncated(&self) -> bool {
        self.truncated
    }

    /// Its words.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.as_str())
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.truncated = false;
    }

    /// Adds bytes up to the first NUL. Call [`Self::clean`] after the last.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let bytes = bytes.split(|&b| b == 0).next().unwrap_or_default();
        let room = &mut self.bytes[self.len..];
        let take = bytes.len().min(room.len());
        room[..take].copy_from_slice(&bytes[..take]);
        self.len += take;
        self.truncated |= take < bytes.len();
    }

    /// Replaces the line by the string at a physical address. What is not mapped counts as cut off.
    pub(crate) fn read_phys(&mut self, phys: PhysMap, at: u64) {
        self.clear();
        let end = read_cstr(phys, at, Self::CAPACITY, &mut |bytes| self.append(bytes));
        self.truncated |= end != StrEnd::Terminated;
        self.clean();
    }

    /// Makes the line printable text, so that no later reader has to care.
    pub(crate) fn clean(&mut self) {
        let line = &mut self.bytes[..self.len];
        let utf8 = core::str::from_utf8(line).is_ok();
        for byte in line {
            let blank = matches!(byte, b'\t' | b'\n' | b'\r');
            let foreign = byte.is_ascii_control() || (!utf8 && !byte.is_ascii());
            *byte = if blank {
                b' '
            } else if foreign {
                b'?'
            } else {
                *byte
            };
        }
    }
}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
