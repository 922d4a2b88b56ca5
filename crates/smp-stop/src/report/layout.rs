//! Where what lies in a report, in bytes. Version 2; all numbers little-endian on the machines there are today (in general
//! in the machine's own order, which the magic number shows).
//!
//! | header, from | bytes | what |
//! |---:|---:|---|
//! | 0 | 8 | [`MAGIC`], the text `STOPRPRT` |
//! | 8 | 4 | [`VERSION`] |
//! | 12 | 4 | length of all |
//! | 16 | 4 | length of the header |
//! | 20 | 4 | length of a slot |
//! | 24 | 4 | slots |
//! | 28 | 4 | slots in use; 0: all |
//! | 32 | 4 | the latch: see [`Hold`](crate::Hold) |
//! | 36 | 4 | the verdict: see [`Verdict`](super::Verdict) |
//! | 40 | 4 | how often the owner came again |
//! | 44 | 4 | rungs begun |
//! | 48 | 8 | when the owner began, ns by the kernel's clock |
//! | 56 | 8 | how long it took, ns |
//! | 64 | 4 | the latch as it was under the former owner, if there was one |
//!
//! A round is one pass of an owner through the whole stop: the latch's generation in the upper half, and in the lower how
//! often the owner had come again. The verdict is final if its generation is the latch's. What a slot says about silence
//! counts unless its round is earlier than the verdict's: an owner that was replaced may write its own after that of its
//! successor.
//!
//! | slot, from | bytes | what |
//! |---:|---:|---|
//! | 0 | 4 | the CPU's word: see [`View`](crate::View) |
//! | 4 | 4 | how it came to stop: see [`Via`](super::Via) |
//! | 8 | 4 | bits 0-7 why it was silent at the end, see [`Why`](super::Why); 16-31 in which round that was found |
//! | 12 | 4 | how far its answer got: bit 0 the quiesce hook was entered, bit 1 it stood by |
//! | 16 | 4 | registers: 0 none, 1 not whole, 2 whole |
//! | 24 | 8 | when it answered, ns by the kernel's clock |
//! | 32 | 8 | what the hardware calls it |
//! | 40 | 4 | the message, what this CPU stops for: 0 none, 1 not whole, 2 whole |
//! | 44 | 4 | how many bytes of it there are |
//! | 48 | 8 | where a message begins that was not copied: the address of text in the kernel's image |
//! | 56 | 4 | how many bytes of that there are; 0: none |
//! | 64 | 320 | the registers: machine (4: bits 0-15 its number, bit 16 they are those of the code that saved them), words (4), pc, sp, fp (8 each), 36 words of 8 bytes |
//! | 384 | 128 | the text of the message |

/// `STOPRPRT` as two words.
pub const MAGIC: [u32; 2] = [u32::from_le_bytes(*b"STOP"), u32::from_le_bytes(*b"RPRT")];
/// Of this layout.
pub const VERSION: u32 = 2;
/// Bytes of the header.
pub const HEADER_LEN: usize = 128;
/// Bytes of a slot.
pub const SLOT_LEN: usize = 512;

pub(crate) const VERSION_AT: usize = 8;
pub(crate) const TOTAL_LEN: usize = 12;
pub(crate) const HEADER_LEN_AT: usize = 16;
pub(crate) const SLOT_LEN_AT: usize = 20;
/// Offset of how many slots there are.
pub const CAPACITY: usize = 24;
pub(crate) const CPUS: usize = 28;
pub(crate) const LATCH: usize = 32;
pub(crate) const VERDICT: usize = 36;
pub(crate) const REENTRIES: usize = 40;
pub(crate) const BEGAN_AT: usize = 48;
pub(crate) const TOOK: usize = 56;
pub(crate) const FORMER_OWNER: usize = 64;

pub(crate) const WORD: usize = 0;
pub(crate) const VIA: usize = 4;
pub(crate) const NOTE: usize = 8;
pub(crate) const SAVED: usize = 16;
pub(crate) const ANSWERED_AT: usize = 24;
pub(crate) const HW_ID: usize = 32;
pub(crate) const MESSAGE: usize = 40;
pub(crate) const REGISTERS: usize = 64;
pub(crate) const TEXT: usize = 384;
