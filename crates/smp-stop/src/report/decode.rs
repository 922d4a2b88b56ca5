//! Reading a report from memory that may hold anything: a crashed kernel's, a dump, a file.
//!
//! Total: no input makes it panic, read outside of the input, or run for longer than the input is long. What means nothing
//! shows as `None`.

use core::fmt;

use cpumask::CpuId;

use super::row::{RawRow, WHOLE};
use super::{Report, Source, Summary, layout};
use crate::area::MAX_CPUS;
use crate::latch::Hold;
use crate::message::Message;
use crate::regs::{REGISTER_WORDS, Registers};

/// Why some memory is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It does not begin with the magic number.
    NoMagic,
    /// It is of a version that this code does not know.
    Version(u32),
    /// The lengths it claims do not fit each other.
    Lengths,
    /// It is cut short: this many bytes are needed.
    Short(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMagic => f.write_str("there is no stop report here"),
            Self::Version(version) => {
                write!(f, "a stop report of version {version}, which is not known here")
            }
            Self::Lengths => f.write_str("a stop report whose lengths contradict each other"),
            Self::Short(len) => write!(f, "a stop report cut short: {len} bytes are needed"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Memory that has the shape of a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory<'a> {
    header: &'a [u8],
    slots: &'a [u8],
    order: Order,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let word = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(*word),
            Self::Big => u32::from_be_bytes(*word),
        })
    }

    /// Two words of which the lower half is the first, in either order.
    fn split_u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let (low, high) = (self.u32(bytes, at)?, self.u32(bytes, at + 4)?);
        Some(u64::from(high) << 32 | u64::from(low))
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let word = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(*word),
            Self::Big => u64::from_be_bytes(*word),
        })
    }
}

/// Reads the report at the start of `bytes`; more may follow it.
///
/// # Errors
/// [`DecodeError`] if there is none.
pub fn decode(bytes: &[u8]) -> Result<Report<'_>, DecodeError> {
    let order = order(bytes).ok_or(DecodeError::NoMagic)?;
    let word = |at| order.u32(bytes, at).ok_or(DecodeError::Short(layout::HEADER_LEN));
    let version = word(layout::VERSION_AT)?;
    if version != layout::VERSION {
        return Err(DecodeError::Version(version));
    }
    let (capacity, total) = (
        word(layout::CAPACITY)? as usize,
        word(layout::TOTAL_LEN)? as usize,
    );
    let lengths = (
        word(layout::HEADER_LEN_AT)? as usize,
        word(layout::SLOT_LEN_AT)? as usize,
    );
    let fits = lengths == (layout::HEADER_LEN, layout::SLOT_LEN)
        && (1..=MAX_CPUS).contains(&capacity)
        && total == layout::HEADER_LEN + capacity * layout::SLOT_LEN;
    if !fits {
        return Err(DecodeError::Lengths);
    }
    let whole = bytes.get(..total).ok_or(DecodeError::Short(total))?;
    let (header, slots) = whole
        .split_at_checked(layout::HEADER_LEN)
        .ok_or(DecodeError::Short(total))?;
    Ok(Report(Source::Memory(Memory { header, slots, order })))
}

/// The first report in `bytes`, at any offset that is a multiple of 64, as every report is aligned: for a dump of memory.
pub fn find(bytes: &[u8]) -> Option<(usize, Report<'_>)> {
    (0..bytes.len())
        .step_by(64)
        .find_map(|at| Some((at, decode(bytes.get(at..)?).ok()?)))
}

fn order(bytes: &[u8]) -> Option<Order> {
    let is = |order: Order| {
        layout::MAGIC
            .iter()
            .enumerate()
            .all(|(n, &magic)| order.u32(bytes, 4 * n) == Some(magic))
    };
    [Order::Little, Order::Big].into_iter().find(|order| is(*order))
}

impl<'a> Memory<'a> {
    fn word(&self, at: usize) -> u32 {
        self.order.u32(self.header, at).unwrap_or(0)
    }

    fn long(&self, at: usize) -> u64 {
        self.order.split_u64(self.header, at).unwrap_or(0)
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len() / layout::SLOT_LEN
    }

    pub(super) fn summary(&self) -> Summary {
        let capacity = self.capacity();
        let (hold, verdict) = (
            Hold::from_raw(self.word(layout::LATCH)),
            self.word(layout::VERDICT),
        );
        Summary {
            hold,
            verdict: Summary::judge(hold, verdict),
            round: (verdict >> 16) as u16,
            former_owner: Hold::from_raw(self.word(layout::FORMER_OWNER)).map(|hold| hold.owner),
            reentries: self.word(layout::REENTRIES),
            began_at: self.long(layout::BEGAN_AT),
            took_ns: self.long(layout::TOOK),
            cpus: match self.word(layout::CPUS) as usize {
                0 => capacity,
                cpus => cpus.min(capacity),
            },
        }
    }

    fn slot(&self, cpu: CpuId) -> Option<&'a [u8]> {
        let at = cpu.as_usize().checked_mul(layout::SLOT_LEN)?;
        self.slots.get(at..)?.get(..layout::SLOT_LEN)
    }

    pub(super) fn raw_row(&self, cpu: CpuId) -> Option<RawRow> {
        let slot = self.slot(cpu)?;
        Some(RawRow {
            word: self.order.u32(slot, layout::WORD)?,
            via: self.order.u32(slot, layout::VIA)?,
            note: self.order.u32(slot, layout::NOTE)?,
            saved: self.order.u32(slot, layout::SAVED)?,
            answered_at: self.order.split_u64(slot, layout::ANSWERED_AT)?,
            hw_id: self.order.split_u64(slot, layout::HW_ID)?,
        })
    }

    pub(super) fn message(&self, cpu: CpuId) -> Option<Message> {
        let slot = self.slot(cpu)?;
        if self.order.u32(slot, layout::MESSAGE)? != WHOLE {
            return None;
        }
        let text = slot.get(layout::TEXT..)?;
        let len = (self.order.u32(slot, layout::MESSAGE + 4)? as usize).min(text.len());
        Some(Message::from_memory(text.get(..len)?))
    }

    pub(super) fn message_place(&self, cpu: CpuId) -> Option<(u64, u32)> {
        let slot = self.slot(cpu)?;
        let at = self.order.split_u64(slot, layout::MESSAGE + 8)?;
        Some((at, self.order.u32(slot, layout::MESSAGE + 16)?)).filter(|(_, len)| *len > 0)
    }

    pub(super) fn registers(&self, cpu: CpuId) -> Option<Registers> {
        let slot = self.slot(cpu)?;
        if self.order.u32(slot, layout::SAVED)? != WHOLE {
            return None;
        }
        let block = slot.get(layout::REGISTERS..)?;
        let long = |at| self.order.u64(block, at);
        let len = (self.order.u32(block, 4)? as usize).min(REGISTER_WORDS);
        let mut registers = Registers::EMPTY;
        let machine = self.order.u32(block, 0)?;
        registers.begin(machine as u16, long(8)?, long(16)?, long(24)?);
        if machine & Registers::OWN != 0 {
            registers.set_own();
        }
        for n in 0..len {
            registers.push(long(32 + 8 * n)?);
        }
        Some(registers)
    }
}
