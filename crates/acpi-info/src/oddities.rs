//! What in the tables is not as it should be, a sentence for each kind.

use core::fmt;

use crate::{AcpiInfo, present::Present};

/// Why the rest of a MADT was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadWhy {
    /// It ends before its first entry.
    NoFields,
    /// An entry says that it is shorter than its own head, so nobody knows where the next one begins.
    NoLength,
    /// An entry says that it goes on behind the end.
    CutOff,
    /// There are more entries than any machine has.
    TooMany,
}

/// The part of a MADT that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Why.
    pub why: UnreadWhy,
    /// How many bytes of the table it is.
    pub bytes: usize,
    present: Present,
}

impl Unread {
    pub(crate) const fn new(why: UnreadWhy, bytes: usize) -> Self {
        Self {
            why,
            bytes,
            present: Present::Yes,
        }
    }
}

/// What in the MADT makes no sense, counted by kind. CPUs that are off, or beyond the room there is, are counted in
/// [`AcpiInfo`].
#[derive(Clone, Debug)]
pub(crate) struct MadtOddities {
    pub unread: Option<Unread>,
    pub short: u32,
    /// Whether CPUs are among the short ones.
    pub short_cpus: bool,
    pub unknown_flags: u32,
    pub no_id: u32,
    pub repeated: u32,
    pub no_such_line: u32,
    /// Further MADTs.
    pub others: u32,
}

impl MadtOddities {
    pub(crate) const EMPTY: Self = Self {
        unread: None,
        short: 0,
        short_cpus: false,
        unknown_flags: 0,
        no_id: 0,
        repeated: 0,
        no_such_line: 0,
        others: 0,
    };
}

/// Something that is not as it should be, or that a person who counts CPUs wants to know of; [`fmt::Display`] says it in a
/// sentence. Numbers count entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// Tables whose checksum is wrong, of all that there are.
    Checksums(u32, u32),
    /// There is no MADT.
    NoMadt,
    /// Part of the MADT was not read.
    Unread(Unread),
    /// Shorter than what they must hold.
    Short(u32),
    /// CPUs with flags that no version of ACPI knows; they are taken for what the known ones say.
    UnknownFlags(u32),
    /// CPUs whose id names no CPU: all of them at once, or bits that are no affinity.
    NoId(u32),
    /// CPUs listed again. The first entry counts, but for one that is off.
    Repeated(u32),
    /// CPUs that firmware has turned off for good.
    Disabled(u32),
    /// CPUs that may be plugged in.
    Pluggable(u32),
    /// CPUs there is no room for.
    NoRoom(u32),
    /// Interrupts of buses or pins there are none of.
    NoSuchLine(u32),
    /// Interrupt controllers and the like there is no room for.
    ListsFull(u32),
    /// MADTs after the first.
    OtherMadts(u32),
}

impl Oddity {
    /// Whether it is a fault of the tables, or only worth knowing.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        !matches!(self, Self::Disabled(_) | Self::Pluggable(_))
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes;
        match self.why {
            UnreadWhy::NoFields => write!(f, "MADT damaged: {bytes} bytes are no table"),
            UnreadWhy::NoLength => write!(f, "MADT damaged: an entry without length"),
            UnreadWhy::CutOff => write!(f, "MADT damaged: an entry that is cut off"),
            UnreadWhy::TooMany => write!(f, "MADT damaged: too many entries"),
        }?;
        match self.why {
            UnreadWhy::NoFields => f.write_str("; CPUs are unknown"),
            _ => write!(
                f,
                "; the last {bytes} bytes are not read, and CPUs listed there are unknown"
            ),
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Checksums(bad, all) => write!(f, "{bad} of {all} tables have a wrong checksum"),
            Self::NoMadt => f.write_str("no MADT: CPUs are unknown"),
            Self::Unread(unread) => write!(f, "{unread}"),
            Self::Short(n) => write!(f, "MADT: entries too short for what they are: {n}, not used"),
            Self::UnknownFlags(n) => write!(f, "MADT: CPUs with unknown flags: {n}"),
            Self::NoId(n) => write!(f, "MADT: CPUs with an id that names none: {n}, not used"),
            Self::Repeated(n) => write!(f, "MADT: CPUs listed again: {n}"),
            Self::Disabled(n) => write!(f, "MADT: CPUs disabled by firmware: {n}"),
            Self::Pluggable(n) => write!(f, "MADT: CPUs that may be plugged in: {n}"),
            Self::NoRoom(n) => write!(f, "MADT: CPUs beyond those there is room for: {n}"),
            Self::NoSuchLine(n) => write!(f, "MADT: interrupts of no bus or pin: {n}, not used"),
            Self::ListsFull(n) => write!(f, "entries of lists there is no room for: {n}"),
            Self::OtherMadts(n) => write!(f, "MADT: further ones, not read: {n}"),
        }
    }
}

impl AcpiInfo {
    /// Whether the MADT names fewer CPUs than it should, as far as that shows: part of it could not be read, or there is none.
    #[must_use]
    pub const fn has_unknown_cpus(&self) -> bool {
        !self.madt_seen || self.madt.unread.is_some() || self.madt.short_cpus
    }

    /// Whether there is a MADT, in whatever state.
    #[must_use]
    pub const fn has_madt(&self) -> bool {
        self.madt_seen
    }

    /// All that is not as it should be: each kind once.
    pub fn oddities(&self) -> impl Iterator<Item = Oddity> + use<> {
        let madt = &self.madt;
        let some = |n: u32, kind: fn(u32) -> Oddity| (n != 0).then(|| kind(n));
        let pluggable = self.cpus.iter().filter(|cpu| !cpu.enabled).count() as u32;
        let cut_off = u32::from(matches!(
            madt.unread,
            Some(Unread {
                why: UnreadWhy::NoLength | UnreadWhy::CutOff,
                ..
            })
        ));
        let counted = madt.short + madt.no_such_line + cut_off;
        let full = self.entries_dropped.saturating_sub(counted);
        [
            (self.bad_checksums != 0).then_some(Oddity::Checksums(self.bad_checksums, self.tables)),
            (!self.madt_seen).then_some(Oddity::NoMadt),
            madt.unread.map(Oddity::Unread),
            some(madt.short, Oddity::Short),
            some(madt.unknown_flags, Oddity::UnknownFlags),
            some(madt.no_id, Oddity::NoId),
            some(madt.repeated, Oddity::Repeated),
            some(self.cpus_disabled, Oddity::Disabled),
            some(pluggable, Oddity::Pluggable),
            some(self.cpus_dropped, Oddity::NoRoom),
            some(madt.no_such_line, Oddity::NoSuchLine),
            some(full, Oddity::ListsFull),
            some(madt.others, Oddity::OtherMadts),
        ]
        .into_iter()
        .flatten()
    }
}
