//! Sets as text, in the list format of Linux: `0-3,7`. The empty set is the empty text.

use core::{error::Error, fmt, str::FromStr};

use crate::{CpuId, CpuMask, OutOfRange};

impl<const W: usize> fmt::Display for CpuMask<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cpus = self.iter().map(CpuId::as_u32).peekable();
        let mut comma = "";
        while let Some(first) = cpus.next() {
            let mut last = first;
            while let Some(next) = cpus.next_if_eq(&(last + 1)) {
                last = next;
            }
            write_range(f, comma, first, last)?;
            comma = ",";
        }
        Ok(())
    }
}

fn write_range(f: &mut fmt::Formatter<'_>, comma: &str, first: u32, last: u32) -> fmt::Result {
    write!(f, "{comma}{first}")?;
    if last > first {
        write!(f, "-{last}")
    } else {
        Ok(())
    }
}

/// Why a text is not a list of CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseListError {
    /// What starts at this byte should be a number, of decimal digits only, below 2^32.
    Number {
        /// Offset in the text.
        at: usize,
    },
    /// A range whose end lies below its start.
    Backwards {
        /// Its start.
        first: CpuId,
        /// Its end.
        last: CpuId,
    },
    /// The mask has no room for a CPU of the list.
    OutOfRange(OutOfRange),
}

impl fmt::Display for ParseListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { at } => write!(f, "no CPU number at offset {at}"),
            Self::Backwards { first, last } => write!(f, "the range {first}-{last} runs backwards"),
            Self::OutOfRange(error) => error.fmt(f),
        }
    }
}

impl Error for ParseListError {}

/// Reads a list such as `0-3,7`. Order and overlap are free, blanks are not allowed.
impl<const W: usize> FromStr for CpuMask<W> {
    type Err = ParseListError;

    fn from_str(text: &str) -> Result<Self, ParseListError> {
        let mut mask = Self::EMPTY;
        if text.is_empty() {
            return Ok(mask);
        }
        let mut at = 0;
        for item in text.split(',') {
            let (first, last) = parse_range(item, at)?;
            mask = mask.or(&range(first, last)?);
            at += item.len() + 1;
        }
        Ok(mask)
    }
}

/// The CPUs `first..=last`, without a step per CPU: the text may name four billion of them.
fn range<const W: usize>(first: u32, last: u32) -> Result<CpuMask<W>, ParseListError> {
    if last < first {
        return Err(ParseListError::Backwards {
            first: CpuId::new(first),
            last: CpuId::new(last),
        });
    }
    let capacity = CpuMask::<W>::CAPACITY;
    if last >= capacity {
        return Err(ParseListError::OutOfRange(OutOfRange {
            cpu: CpuId::new(last),
            capacity,
        }));
    }
    Ok(CpuMask::first_n(last + 1).and_not(&CpuMask::first_n(first)))
}

fn parse_range(item: &str, at: usize) -> Result<(u32, u32), ParseListError> {
    match item.split_once('-') {
        None => parse_number(item, at).map(|cpu| (cpu, cpu)),
        Some((first, last)) => Ok((
            parse_number(first, at)?,
            parse_number(last, at + first.len() + 1)?,
        )),
    }
}

fn parse_number(digits: &str, at: usize) -> Result<u32, ParseListError> {
    // `u32::from_str` takes a leading plus sign, the list format does not.
    match digits.parse() {
        Ok(number) if digits.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
        _ => Err(ParseListError::Number { at }),
    }
}
