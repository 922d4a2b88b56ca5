//! Values: how each kind of them stands in a line.

use core::fmt::{self, Write as _};

/// A value that can be printed into a line.
pub trait Put {
    /// Writes it: a word without blanks, or text between quotes.
    ///
    /// # Errors
    /// The formatter's own.
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// A value that can be read from a line.
pub trait Take<'a>: Sized {
    /// Reads it; `value` has lost its quotes. `None` if it is no such value.
    fn take(value: &'a str) -> Option<Self>;
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl Put for $ty {
            fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl Take<'_> for $ty {
            fn take(value: &str) -> Option<Self> {
                value.parse().ok()
            }
        }
    )*};
}

numbers!(u32 u64 usize);

/// A word: not empty, without blanks, quotes or control characters. What is none is printed as `?`.
impl Put for &str {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if is_word(self) { self } else { "?" })
    }
}

impl<'a> Take<'a> for &'a str {
    fn take(value: &'a str) -> Option<Self> {
        is_word(value).then_some(value)
    }
}

fn is_word(text: &str) -> bool {
    let bad = |c: char| c == ' ' || c == '"' || c.is_control();
    !text.is_empty() && !text.contains(bad)
}

/// Text to be printed between quotes. A quote and the end of a line become `'` in it, so that it stays one value.
#[derive(Clone, Copy)]
pub struct Quoted<'a>(pub &'a dyn fmt::Display);

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.put(f)
    }
}

impl Put for Quoted<'_> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Escape<'f, 'b>(&'f mut fmt::Formatter<'b>);
        impl fmt::Write for Escape<'_, '_> {
            fn write_str(&mut self, s: &str) -> fmt::Result {
                let escaped = s.chars().map(|c| match c {
                    '"' | '\n' | '\r' => '\'',
                    c => c,
                });
                escaped.into_iter().try_for_each(|c| self.0.write_char(c))
            }
        }
        f.write_char('"')?;
        write!(Escape(f), "{}", self.0)?;
        f.write_char('"')
    }
}

/// What prints itself as a list of CPUs does, by its own [`Display`](fmt::Display).
#[derive(Clone, Copy, Debug)]
pub struct Listed<T>(pub T);

impl<T: fmt::Display> Put for Listed<T> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Text that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub &'a str);

impl Put for Text<'_> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(&self.0).put(f)
    }
}

impl<'a> Take<'a> for Text<'a> {
    fn take(value: &'a str) -> Option<Self> {
        Some(Self(value))
    }
}

/// Bytes to be printed as hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Put for Hex<'_> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hexadecimal digits that were read: an even number of them, perhaps none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<'a>(&'a str);

impl<'a> Digits<'a> {
    /// The digits.
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

impl Put for Digits<'_> {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'a> Take<'a> for Digits<'a> {
    fn take(value: &'a str) -> Option<Self> {
        let good = value.len().is_multiple_of(2) && value.bytes().all(|b| b.is_ascii_hexdigit());
        good.then_some(Self(value))
    }
}

/// A CPU, or `?` where the kernel cannot tell which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaybeCpu(pub Option<u32>);

impl Put for MaybeCpu {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(cpu) => cpu.put(f),
            None => f.write_char('?'),
        }
    }
}

impl Take<'_> for MaybeCpu {
    fn take(value: &str) -> Option<Self> {
        match value {
            "?" => Some(Self(None)),
            _ => value.parse().ok().map(|cpu| Self(Some(cpu))),
        }
    }
}

/// So many out of so many: `3/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOf {
    /// How many there are.
    pub have: u32,
    /// How many there should be.
    pub want: u32,
}

impl Put for OutOf {
    fn put(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.have, self.want)
    }
}

impl Take<'_> for OutOf {
    fn take(value: &str) -> Option<Self> {
        let (have, want) = value.split_once('/')?;
        let (have, want) = (have.parse().ok()?, want.parse().ok()?);
        Some(Self { have, want })
    }
}
