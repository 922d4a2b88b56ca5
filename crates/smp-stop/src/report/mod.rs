//! What came of a stop, CPU by CPU: on the machine it happened on, and from its memory afterwards.

mod codes;
mod decode;
pub mod layout;
mod row;
#[cfg(feature = "display")]
mod table;
#[cfg(all(test, feature = "display", not(any(feature = "loom", feature = "shuttle"))))]
mod tests;

#[cfg(feature = "display")]
use core::fmt;

use cpumask::CpuId;

pub use codes::{RungKind, Unavailable, Verdict, Via, Why};
pub use decode::{DecodeError, decode, find};
pub use row::Row;
pub(crate) use row::{RawRow, WHOLE};

use crate::area::Area;
use crate::latch::{Hold, Owner};
use crate::message::Message;
use crate::regs::Registers;
use crate::sync::{Ordering, RELAXED};

/// A report: of the stop in an [`Area`], as it is now, or of one in a piece of memory, by [`decode()`].
///
/// Displays as a table of at most 100 columns, and below it what each CPU said; that needs the feature `display`.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Live(Area<'a>),
    Memory(decode::Memory<'a>),
}

/// What a report says of the stop as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Reason, owner and phase; `None` if there was no stop.
    pub hold: Option<Hold>,
    /// What it came to; `None` while it is not over.
    pub verdict: Option<Verdict>,
    /// The owner that was replaced, if one was.
    pub former_owner: Option<Owner>,
    /// How often the owner came again, because it failed inside the stop.
    pub reentries: u32,
    /// When the owner began: nanoseconds by the kernel's clock. One that took the stop from another begins anew.
    pub began_at: u64,
    /// Nanoseconds from then until all had answered that did.
    pub took_ns: u64,
    /// How many CPUs there may be.
    pub cpus: usize,
    /// Which account was the last to be complete: what earlier rounds wrote about a CPU does not count.
    round: u16,
}

impl Summary {
    /// The verdict, if it is that of the owner there is: one who took the stop away has to come to its own.
    fn judge(hold: Option<Hold>, raw: u32) -> Option<Verdict> {
        let is_owners = |hold: Hold| raw >> 24 == u32::from(hold.generation);
        Verdict::from_raw(raw).filter(|_| hold.is_some_and(is_owners))
    }
}

impl<'a> Report<'a> {
    /// The report of `area`. Before, during and after a stop; it shows what is so now.
    pub fn of(area: impl Into<Area<'a>>) -> Self {
        Self(Source::Live(area.into()))
    }

    /// The stop as a whole.
    pub fn summary(&self) -> Summary {
        match self.0 {
            Source::Live(area) => live_summary(area),
            Source::Memory(memory) => memory.summary(),
        }
    }

    /// What is known about `cpu`; `None` if there can be no such CPU.
    pub fn row(&self, cpu: CpuId) -> Option<Row> {
        self.row_in(&self.summary(), cpu)
    }

    fn row_in(&self, summary: &Summary, cpu: CpuId) -> Option<Row> {
        let owner = summary.hold.and_then(|hold| hold.owner.cpu()) == Some(cpu);
        let raw = match self.0 {
            Source::Live(area) => area.slot(cpu)?.raw_row(),
            Source::Memory(memory) => memory.raw_row(cpu)?,
        };
        (cpu.as_usize() < summary.cpus).then(|| raw.read(cpu, owner, summary))
    }

    /// How many CPUs there is room for.
    pub fn capacity(&self) -> usize {
        match self.0 {
            Source::Live(area) => area.capacity(),
            Source::Memory(memory) => memory.capacity(),
        }
    }

    /// One row for each CPU there may be, in order.
    pub fn rows(self) -> impl Iterator<Item = Row> + Clone + use<'a> {
        let summary = self.summary();
        (0..summary.cpus as u32).map_while(move |n| self.row_in(&summary, CpuId::new(n)))
    }

    /// The registers of `cpu`, if they were saved.
    pub fn registers(&self, cpu: CpuId) -> Option<Registers> {
        match self.0 {
            Source::Live(area) => area.slot(cpu)?.registers(),
            Source::Memory(memory) => memory.registers(cpu),
        }
    }

    /// What `cpu` stopped for, in its own words, if it left any. Of words that were not copied ([`Self::message_place`]) a piece
    /// of memory does not know more than where they are.
    pub fn message(&self, cpu: CpuId) -> Option<Message> {
        match self.0 {
            Source::Live(area) => area.slot(cpu)?.message(),
            Source::Memory(memory) => memory.message(cpu),
        }
    }

    /// Where in the kernel's image the words of `cpu` lie, and how many bytes they are, if it said something that needs no
    /// copy: for readers of its memory.
    pub fn message_place(&self, cpu: CpuId) -> Option<(u64, u32)> {
        match self.0 {
            Source::Live(area) => area.slot(cpu)?.message_place(),
            Source::Memory(memory) => memory.message_place(cpu),
        }
    }

    /// Those that stand still.
    pub fn parked(self) -> Cpus<'a> {
        Cpus(self, Row::is_parked)
    }

    /// Those that were released once, and are off, as far as anybody knows.
    pub fn off(self) -> Cpus<'a> {
        Cpus(self, Row::is_off)
    }

    /// Those that ran, or may run, when the stop was over.
    pub fn silent(self) -> Cpus<'a> {
        Cpus(self, |row| row.silent.is_some())
    }
}

fn live_summary(area: Area<'_>) -> Summary {
    let header = area.header;
    // In this order: whoever published the verdict held the latch by then, so that no verdict is newer than its owner here.
    let verdict = header.verdict.load(Ordering::Acquire);
    let hold = header.latch.hold();
    Summary {
        hold,
        verdict: Summary::judge(hold, verdict),
        round: (verdict >> 16) as u16,
        former_owner: Hold::from_raw(header.former_owner.load(RELAXED)).map(|hold| hold.owner),
        reentries: header.reentries.load(RELAXED),
        began_at: header.began_at.get(),
        took_ns: header.took.get(),
        cpus: area.slots().len(),
    }
}

/// Some of a report's CPUs. Displays as `0-3,7`, with the feature `display`.
#[derive(Clone, Copy, Debug)]
pub struct Cpus<'a>(Report<'a>, fn(&Row) -> bool);

impl<'a> Cpus<'a> {
    /// In rising order.
    pub fn iter(&self) -> impl Iterator<Item = CpuId> + Clone + use<'a> {
        self.0.rows().filter(self.1).map(|row| row.cpu)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

#[cfg(feature = "display")]
impl fmt::Display for Cpus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cpus = self.iter().map(CpuId::as_u32).peekable();
        let mut comma = "";
        while let Some(first) = cpus.next() {
            let mut last = first;
            while let Some(next) = cpus.next_if(|next| *next == last + 1) {
                last = next;
            }
            match last == first {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
            comma = ",";
        }
        Ok(())
    }
}
