//! A set of CPUs as the console has it.

use core::fmt;

use crate::value::{Put, Take};

/// A set of CPUs in the list format of Linux, `0-3,7`, checked and not unpacked: any size, no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CpuList<'a>(&'a str);

impl<'a> CpuList<'a> {
    /// No CPU.
    pub const EMPTY: Self = Self("");

    /// The boot CPU.
    pub const BOOT: Self = Self("0");

    /// Checks a list: ranges that rise, decimal numbers below 2^32, no blanks.
    pub fn parse(text: &'a str) -> Option<Self> {
        let good = |item| range(item).is_some_and(|(first, last)| first <= last);
        (text.is_empty() || text.split(',').all(good)).then_some(Self(text))
    }

    /// The numbers, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        let items = self.0.split(',').filter_map(range);
        items.flat_map(|(first, last)| first..=last)
    }

    /// Whether `cpu` is one of them.
    pub fn contains(&self, cpu: u32) -> bool {
        let mut items = self.0.split(',').filter_map(range);
        items.any(|(first, last)| (first..=last).contains(&cpu))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `3`, or `0-3`.
fn range(item: &str) -> Option<(u32, u32)> {
    let number = |digits: &str| {
        // `u32::from_str` takes a leading plus sign, the list format does not.
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok())?
    };
    match item.split_once('-') {
        None => number(item).map(|cpu| (cpu, cpu)),
        Some((first, last)) => Some((number(first)?, number(last)?)),
    }
}

impl fmt::Display for CpuList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Put for CpuList<'_> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'a> Take<'a> for CpuList<'a> {
    fn take(value: &'a str) -> Option<Self> {
        Self::parse(value)
    }
}

impl<const W: usize> Put for &cpumask::CpuMask<W> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const W: usize> Put for cpumask::CpuMask<W> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
