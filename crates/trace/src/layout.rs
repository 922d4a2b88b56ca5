//! What lies where in a trace, for those who read it from outside. Words of 32 bits, the lowest byte first; a number of 64
//! bits is two words, the lower first.
//!
//! A trace is a header of [`HEADER_LEN`] bytes and one ring, that of the time before the CPUs have theirs. At the address
//! the header names there are as many rings more as it says, one for each CPU, in order and in a row. A ring is
//! [`RING_LEN`] bytes: a header of [`RING_HEADER_LEN`], of which the first word counts the events ever reserved, and
//! [`EVENTS`] events of [`EVENT_LEN`] bytes. Event number `n` lies at index `n % EVENTS`.

use crate::ring::EVENTS;

/// The first two words.
pub const MAGIC: [u32; 2] = [u32::from_le_bytes(*b"STND"), u32::from_le_bytes(*b"TRAC")];
/// The third: raised whenever what lies where changes.
pub const VERSION: u32 = 1;
/// Bytes of the header.
pub const HEADER_LEN: usize = 128;
/// Bytes of a ring's header.
pub const RING_HEADER_LEN: usize = 64;
/// Bytes of an event.
pub const EVENT_LEN: usize = 16;
/// Bytes of a ring.
pub const RING_LEN: usize = RING_HEADER_LEN + EVENTS * EVENT_LEN;
/// Bytes of header and first ring together.
pub const AREA_LEN: usize = HEADER_LEN + RING_LEN;
/// Most CPUs a trace can be of.
pub const MAX_CPUS: usize = 0x7fff;

/// Offset of the version.
pub const VERSION_AT: usize = 8;
/// Offset of the bytes of header and first ring together.
pub const AREA_LEN_AT: usize = 12;
/// Offset of the bytes of a ring.
pub const RING_LEN_AT: usize = 16;
/// Offset of how many events a ring holds.
pub const EVENTS_AT: usize = 20;
/// Offset of the groups of events that are recorded.
pub const GROUPS: usize = 24;
/// Offset of how many rings there are at [`RINGS`].
pub const COUNT: usize = 28;
/// Offset of the virtual address of the CPUs' rings, 64 bits; 0 while there are none.
pub const RINGS: usize = 32;
/// Offset of the cycle counter at the kernel's first instruction, 64 bits.
pub const ENTRY: usize = 40;
/// Offset of what to multiply cycles with; 0 while the clock is not calibrated.
pub const MULT: usize = 48;
/// Offset of how far to shift the product to the right: then it is nanoseconds.
pub const SHIFT: usize = 52;
