//! The table of parameters a kernel understands, and walking a line against it.

use super::{Arg, Params, ValueError};

/// A parameter that somebody handles.
///
/// ```
/// use boot_info::cmdline::{Param, parse_args};
/// use core::sync::atomic::{AtomicU64, Ordering};
///
/// static LEVEL: AtomicU64 = AtomicU64::new(7);
/// static PARAMS: &[Param] = &[Param {
///     name: "loglevel",
///     help: "loglevel=N: print messages more urgent than N",
///     parse: |value| {
///         let level = boot_info::cmdline::parse_u64(value.unwrap_or_default())?;
///         LEVEL.store(level, Ordering::Relaxed);
///         Ok(())
///     },
/// }];
/// parse_args("loglevel=3", &[PARAMS], &mut |event| panic!("{event:?}"));
/// assert_eq!(LEVEL.load(Ordering::Relaxed), 3);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name; `-` and `_` are the same letter.
    pub name: &'static str,
    /// One line for people: form, unit, default.
    pub help: &'static str,
    /// Takes the value, `None` when the word has no `=`.
    pub parse: fn(Option<&str>) -> Result<(), ValueError>,
}

/// What [`parse_args`] has to say about a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A known parameter whose value its handler refused.
    Bad {
        /// The word.
        arg: Arg<'a>,
        /// The handler's reason.
        why: ValueError,
    },
    /// A quote was opened and never closed; the word reaches to the end of the line and was handled
    /// as if it were closed there.
    OpenQuote(Arg<'a>),
    /// Nobody here knows it: it is kept for init.
    Unknown(Arg<'a>),
    /// All that follows `--`, kept for init.
    ForInit(&'a str),
}

/// Hands each word to the first parameter of that name in `tables`, and reports everything else to
/// `report`. Never stops early: one bad word must not hide the next.
pub fn parse_args<'a>(line: &'a str, tables: &[&[Param]], report: &mut dyn FnMut(Event<'a>)) {
    let mut words = Params::new(line);
    while let Some(arg) = words.next() {
        if arg.is_separator() {
            let rest = words.rest();
            if !rest.is_empty() {
                report(Event::ForInit(rest));
            }
            return;
        }
        if !arg.closed {
            report(Event::OpenQuote(arg));
        }
        let known = tables
            .iter()
            .copied()
            .flatten()
            .find(|p| same_name(p.name, arg.name));
        match known.map(|p| (p.parse)(arg.value)) {
            Some(Ok(())) => {}
            Some(Err(why)) => report(Event::Bad { arg, why }),
            None => report(Event::Unknown(arg)),
        }
    }
}

/// Whether two parameter names are the same, `-` and `_` being one letter.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    let fold = |b: u8| if b == b'-' { b'_' } else { b };
    a.bytes().map(fold).eq(b.bytes().map(fold))
}
