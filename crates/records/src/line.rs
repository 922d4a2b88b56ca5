//! A line as kind and fields, before any type is put to them.

use core::fmt;

/// A kind of record.
pub trait Record<'a>: Sized {
    /// The word after the `@`.
    const KIND: &'static str;
    /// Its fields, in the order of the line.
    const FIELDS: &'static [Field];
    /// What it says, in a sentence.
    const DOC: &'static str;

    /// Reads a line of this kind.
    ///
    /// # Errors
    /// [`Damage`], which names the first field that is missing or cannot be what it stands for.
    fn read(line: &'a impl Lookup) -> Result<Self, Damage>;
}

/// A field of a kind, for the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What its value says.
    pub doc: &'static str,
}

/// Something that has a kind and fields: a [`Line`], or what a host has kept of one.
pub trait Lookup {
    /// The word after the `@`.
    fn kind(&self) -> &str;
    /// The value of `key`, without its quotes. The first, should it stand there twice.
    fn get(&self, key: &str) -> Option<&str>;
}

/// Why a line is not the record that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is of another kind than this.
    Kind(&'static str),
    /// It has no field of this name.
    Missing(&'static str),
    /// The field of this name holds something else than its kind of value.
    Value(&'static str),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "no @{kind} line"),
            Self::Missing(field) => write!(f, "the line has no field {field}="),
            Self::Value(field) => write!(f, "{field}= does not hold what it should"),
        }
    }
}

impl core::error::Error for Damage {}

/// A line that may be a record of any kind, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    kind: &'a str,
    rest: &'a str,
}

impl<'a> Line<'a> {
    /// Splits a line without its end; `None` if it is no record.
    pub fn parse(line: &'a str) -> Option<Self> {
        let rest = line.strip_prefix('@')?;
        let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        (!kind.is_empty() && kind.chars().all(good)).then_some(Self { kind, rest })
    }

    /// The word after the `@`.
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// Keys and values, without quotes, in the order of the line. What follows damage is left out.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.rest;
        core::iter::from_fn(move || {
            let (key, tail) = rest.trim_start_matches(' ').split_once('=')?;
            let (value, tail) = split_value(tail);
            rest = tail;
            Some((key, value))
        })
    }
}

impl Lookup for Line<'_> {
    fn kind(&self) -> &str {
        self.kind
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.fields()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }
}

/// A value, up to the closing quote or the next blank, and what comes after it.
fn split_value(text: &str) -> (&str, &str) {
    match text.strip_prefix('"') {
        // A quote that is never closed holds the rest: the console may have been cut off.
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => text.split_once(' ').unwrap_or((text, "")),
    }
}
