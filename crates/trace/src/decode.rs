//! Reading a trace from memory that may hold anything: a crashed kernel's, a dump, a file.
//!
//! Total: no input makes it panic, read outside of the input, or run for longer than the input is long.

use core::fmt;

use crate::clock::Clock;
use crate::event::Groups;
use crate::layout;
use crate::ring::{EVENTS, Entry, entry, held};

/// Why some memory is no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It does not begin with the magic number.
    NoMagic,
    /// It is of a version that this code does not know.
    Version(u32),
    /// The lengths it claims are not those of its version.
    Lengths,
    /// It is cut short: this many bytes are needed.
    Short(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMagic => f.write_str("there is no trace here"),
            Self::Version(version) => write!(f, "a trace of version {version}, which is not known here"),
            Self::Lengths => f.write_str("a trace whose lengths are not those of its version"),
            Self::Short(len) => write!(f, "a trace cut short: {len} bytes are needed"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// The header of a trace, and its first ring.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// How to turn cycles into nanoseconds.
    pub clock: Clock,
    /// What is recorded.
    pub groups: Groups,
    /// Virtual address of the CPUs' rings; 0 if they were never made.
    pub rings: u64,
    /// How many there are, at most [`layout::MAX_CPUS`].
    pub count: usize,
    first: &'a [u8],
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Reads the trace at the start of `bytes`; more may follow it.
///
/// # Errors
/// [`DecodeError`] if there is none.
pub fn decode(bytes: &[u8]) -> Result<Trace<'_>, DecodeError> {
    let magic = |n: usize| word(bytes, 4 * n) == Some(layout::MAGIC[n]);
    if !magic(0) || !magic(1) {
        return Err(DecodeError::NoMagic);
    }
    let short = DecodeError::Short(layout::AREA_LEN);
    let (header, rest) = bytes.split_at_checked(layout::HEADER_LEN).ok_or(short)?;
    let first = rest.get(..layout::RING_LEN).ok_or(short)?;
    let word = |at| word(header, at).unwrap_or(0);
    let long = |at| u64::from(word(at + 4)) << 32 | u64::from(word(at));
    match word(layout::VERSION_AT) {
        layout::VERSION => {}
        other => return Err(DecodeError::Version(other)),
    }
    let lengths = [layout::AREA_LEN_AT, layout::RING_LEN_AT, layout::EVENTS_AT].map(|at| word(at) as usize);
    if lengths != [layout::AREA_LEN, layout::RING_LEN, EVENTS]
        || word(layout::COUNT) as usize > layout::MAX_CPUS
    {
        return Err(DecodeError::Lengths);
    }
    let rings = long(layout::RINGS);
    Ok(Trace {
        clock: Clock {
            entry: long(layout::ENTRY),
            mult: word(layout::MULT),
            shift: word(layout::SHIFT),
        },
        groups: Groups::from_bits(word(layout::GROUPS)),
        rings,
        count: if rings == 0 {
            0
        } else {
            word(layout::COUNT) as usize
        },
        first,
    })
}

impl<'a> Trace<'a> {
    /// Bytes at [`Self::rings`].
    pub const fn rings_len(&self) -> usize {
        self.count * layout::RING_LEN
    }

    /// The events from before there were rings for the CPUs.
    pub fn first(&self) -> impl Iterator<Item = Entry> + use<'a> {
        ring(self.first)
    }
}

/// The events of the ring at the start of `bytes`, oldest first; none if it is cut short.
pub fn ring(bytes: &[u8]) -> impl Iterator<Item = Entry> + use<'_> {
    let whole = bytes.get(..layout::RING_LEN).unwrap_or_default();
    let head = word(whole, 0).unwrap_or(0);
    let held = held(head, EVENTS);
    (0..held).filter_map(move |n| {
        let number = head.wrapping_sub(held).wrapping_add(n);
        let at = layout::RING_HEADER_LEN + number as usize % EVENTS * layout::EVENT_LEN;
        let words = [0, 4, 8, 12].map(|offset| word(whole, at + offset).unwrap_or(0));
        entry(number, EVENTS, words)
    })
}
