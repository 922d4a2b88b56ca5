//! Splitting the line into words.

/// One word of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg<'a> {
    /// What stands before the first `=`, or the whole word.
    pub name: &'a str,
    /// What stands behind it, without the quotes around it; `None` when there is no `=`.
    pub value: Option<&'a str>,
    /// The word as typed.
    pub raw: &'a str,
    /// Whether its last quote was closed; an open one swallows the rest of the line.
    pub closed: bool,
}

impl Arg<'_> {
    /// Whether this is the lone `--` after which everything belongs to init.
    #[must_use]
    pub fn is_separator(&self) -> bool {
        self.raw == "--"
    }
}

/// Iterator over the words of a command line, `--` and what follows included.
///
/// ```
/// use boot_info::cmdline::Params;
///
/// let mut words = Params::new(r#"quiet nr_cpus=4 run="cpus; mem" "x=a b""#);
/// assert_eq!(words.next().unwrap().name, "quiet");
/// assert_eq!(words.next().unwrap().value, Some("4"));
/// assert_eq!(words.next().unwrap().value, Some("cpus; mem"));
/// assert_eq!(words.next().unwrap().value, Some("a b"));
/// assert_eq!(words.next(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Params<'a> {
    rest: &'a str,
}

impl<'a> Params<'a> {
    /// The words of `line`.
    #[must_use]
    pub const fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        self.rest.trim_ascii()
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Arg<'a>;

    fn next(&mut self) -> Option<Arg<'a>> {
        let line = self.rest.trim_ascii_start();
        if line.is_empty() {
            return None;
        }
        let mut quoted = false;
        // Blanks and quotes are ASCII, so any byte that matches is a character boundary.
        let end = line.bytes().position(|b| {
            quoted ^= b == b'"';
            b.is_ascii_whitespace() && !quoted
        });
        let (raw, rest) = line.split_at(end.unwrap_or(line.len()));
        self.rest = rest;
        Some(split(raw, !quoted))
    }
}

/// Quotes count where Linux counts them: around the whole word or around the whole value. Inside,
/// they only keep blanks together and stay in the text.
fn split(raw: &str, closed: bool) -> Arg<'_> {
    let word = unquote(raw);
    match word.split_once('=') {
        Some((name, value)) => {
            let value = if raw.starts_with('"') {
                value
            } else {
                unquote(value)
            };
            Arg {
                name,
                value: Some(value),
                raw,
                closed,
            }
        }
        None => Arg {
            name: word,
            value: None,
            raw,
            closed,
        },
    }
}

fn unquote(text: &str) -> &str {
    match text.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner),
        None => text,
    }
}
