//! The command line: from the file, or from whoever starts it.

use alloc::string::String;

use crate::Error;

/// Takes the section's text, up to a terminator or the final line feed that a text editor leaves.
///
/// # Errors
/// [`Error::CommandLineTooLong`] beyond `most` bytes.
pub fn of_section(section: &[u8], most: usize) -> Result<String, Error> {
    let text = section.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text.trim_ascii_end()).into_owned();
    fits(text, most)
}

/// Takes what the boot manager or the shell passes: UTF-16, perhaps terminated. The shell puts the program's name first.
/// What is no text, such as a boot option's binary data, counts as nothing.
///
/// # Errors
/// [`Error::CommandLineTooLong`] beyond `most` bytes.
pub fn of_options(options: &[u8], most: usize) -> Result<String, Error> {
    let (pairs, rest) = options.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let text: Option<String> = char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|unit| unit.ok().filter(|letter| !letter.is_control()))
        .collect();
    match text {
        Some(text) if rest.is_empty() => fits(without_program(text.trim()).into(), most),
        _ => Ok(String::new()),
    }
}

fn without_program(text: &str) -> &str {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_program = first
        .get(first.len().saturating_sub(4)..)
        .is_some_and(|end| end.eq_ignore_ascii_case(".efi"));
    if is_program { rest.trim_start() } else { text }
}

fn fits(text: String, most: usize) -> Result<String, Error> {
    if text.len() <= most {
        Ok(text)
    } else {
        Err(Error::CommandLineTooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_section_ends_at_its_terminator() {
        assert_eq!(
            of_section(b"panic=-1 run=cpus\n\0junk", 99).unwrap(),
            "panic=-1 run=cpus"
        );
        assert_eq!(of_section(b"", 99).unwrap(), "");
        assert_eq!(of_section(b"12345", 4), Err(Error::CommandLineTooLong));
        assert_eq!(of_section(b"1234\n", 4).unwrap(), "1234");
    }

    #[test]
    fn options_are_text_or_nothing() {
        assert_eq!(of_options(&utf16("run=cpus\0"), 99).unwrap(), "run=cpus");
        assert_eq!(
            of_options(&utf16("fs0:\\Standstill.EFI  a b"), 99).unwrap(),
            "a b"
        );
        assert_eq!(of_options(&utf16("BOOTX64.EFI"), 99).unwrap(), "");
        assert_eq!(
            of_options(&utf16("\u{e4}=\u{1f600}"), 99).unwrap(),
            "\u{e4}=\u{1f600}"
        );
        assert_eq!(of_options(&[], 99).unwrap(), "");
        assert_eq!(of_options(&[b'a', 0, b'b'], 99).unwrap(), "", "odd");
        assert_eq!(of_options(&[0, 0xd8, b'a', 0], 99).unwrap(), "", "half a pair");
        assert_eq!(of_options(&[1, 0, 2, 0], 99).unwrap(), "", "binary");
        assert_eq!(of_options(&utf16("12345"), 4), Err(Error::CommandLineTooLong));
    }
}
