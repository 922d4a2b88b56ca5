//! Reading values.

use core::fmt;

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// The parameter needs a value and has none.
    Missing,
    /// Not a number.
    NotANumber,
    /// Larger than fits.
    TooLarge,
    /// Not one of the words for yes and no.
    NotABool,
    /// Something follows that does not belong there.
    TrailingText,
    /// Any other complaint, in the handler's words.
    Other(&'static str),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "needs a value",
            Self::NotANumber => "not a number",
            Self::TooLarge => "number too large",
            Self::NotABool => "not a yes or no",
            Self::TrailingText => "text after the value",
            Self::Other(why) => why,
        })
    }
}

impl core::error::Error for ValueError {}

/// A number as Linux reads it: decimal, `0x` hexadecimal, leading `0` octal.
///
/// # Errors
/// [`ValueError::NotANumber`], [`ValueError::TooLarge`], [`ValueError::TrailingText`].
pub fn parse_u64(text: &str) -> Result<u64, ValueError> {
    whole(number(text)?)
}

/// The number that a parameter must have, `max` at most; read as [`parse_u64`] does.
///
/// # Errors
/// As [`parse_u64`], and [`ValueError::Missing`].
pub fn number_up_to(max: u64, value: Option<&str>) -> Result<u64, ValueError> {
    match parse_u64(value.ok_or(ValueError::Missing)?)? {
        n if n <= max => Ok(n),
        _ => Err(ValueError::TooLarge),
    }
}

/// A number with an optional K, M, G, T, P or E: powers of 1024, either case.
///
/// ```
/// assert_eq!(boot_info::cmdline::parse_size("64M"), Ok(64 << 20));
/// assert!(boot_info::cmdline::parse_size("64Mx").is_err());
/// ```
///
/// # Errors
/// As [`parse_u64`].
pub fn parse_size(text: &str) -> Result<u64, ValueError> {
    whole(memparse(text)?)
}

/// As [`parse_size`], but also returns what follows, for forms such as `64M@16M`.
///
/// # Errors
/// [`ValueError::NotANumber`], [`ValueError::TooLarge`].
pub fn memparse(text: &str) -> Result<(u64, &str), ValueError> {
    let (value, rest) = number(text)?;
    let shift = match rest.bytes().next().map(|b| b.to_ascii_uppercase()) {
        Some(b'K') => 10,
        Some(b'M') => 20,
        Some(b'G') => 30,
        Some(b'T') => 40,
        Some(b'P') => 50,
        Some(b'E') => 60,
        _ => return Ok((value, rest)),
    };
    let scaled = value.checked_mul(1 << shift).ok_or(ValueError::TooLarge)?;
    Ok((scaled, &rest[1..]))
}

/// Yes or no, by the words Linux takes: `1 y t on` and `0 n f off`, either case, the first letters
/// decide. No value at all means yes.
///
/// # Errors
/// [`ValueError::NotABool`].
pub fn parse_bool(text: Option<&str>) -> Result<bool, ValueError> {
    let Some(text) = text else { return Ok(true) };
    let mut letters = text.bytes().map(|b| b.to_ascii_lowercase());
    match (letters.next(), letters.next()) {
        (Some(b'1' | b'y' | b't'), _) | (Some(b'o'), Some(b'n')) => Ok(true),
        (Some(b'0' | b'n' | b'f'), _) | (Some(b'o'), Some(b'f')) => Ok(false),
        _ => Err(ValueError::NotABool),
    }
}

/// The items of a comma-separated list; empty items are skipped.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim_ascii)
        .filter(|item| !item.is_empty())
}

fn whole((value, rest): (u64, &str)) -> Result<u64, ValueError> {
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(ValueError::TrailingText)
    }
}

fn number(text: &str) -> Result<(u64, &str), ValueError> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let len = digits
        .bytes()
        .position(|b| !char::from(b).is_digit(radix))
        .unwrap_or(digits.len());
    if len == 0 {
        return Err(ValueError::NotANumber);
    }
    let (digits, rest) = digits.split_at(len);
    let value = u64::from_str_radix(digits, radix).map_err(|_| ValueError::TooLarge)?;
    Ok((value, rest))
}
