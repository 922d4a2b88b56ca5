//! What the kernel tells the host.
//!
//! A record is a line of the console that begins with `@`: a kind, and fields `key=value`, in a fixed order.
//!
//! ```text
//! @cpus expected=0-3 started=0-3 online=0-2 missing=3 ns=14480
//! @panic cpu=1 reason=panic build_id=b1f6ad why="asked for by the monitor"
//! ```
//!
//! Each kind is a type here. The kernel fills it in and prints it ([`core::fmt::Display`]); the host reads it back
//! ([`Record::read`]). Names of fields, their order and the form of their values stand in one place, so neither side can
//! drift. What a person reads (tables, backtraces, sentences) is no record, and no verdict rests on it.
//!
//! A value is a word without blanks, or text between double quotes, which holds neither a quote nor the end of a line. A
//! reader ignores fields that it does not know, so that an older host reads a newer kernel.
//!
//! ```
//! use records::{CpuList, Cpus, Line, Record};
//!
//! let line = Line::parse("@cpus expected=0-3 started=0-3 online=0-2 missing=3 ns=14480").unwrap();
//! let cpus = Cpus::<CpuList>::read(&line)?;
//! assert_eq!(cpus.missing.iter().collect::<Vec<_>>(), [3]);
//! assert_eq!(cpus.to_string(), "@cpus expected=0-3 started=0-3 online=0-2 missing=3 ns=14480");
//! # Ok::<(), records::Damage>(())
//! ```
#![no_std]

mod cpu_list;
mod kinds;
mod line;
mod value;

pub use cpu_list::CpuList;
pub use kinds::{
    Boot, Cpu, Cpus, EfiVars, End, Hotplug, List, Next, Panic, Ready, Selftest, Stop, Way, catalogue,
};
pub use line::{Damage, Field, Line, Lookup, Record};
pub use value::{Digits, Hex, Listed, MaybeCpu, OutOf, Put, Quoted, Take, Text};
