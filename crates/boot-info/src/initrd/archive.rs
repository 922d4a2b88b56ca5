//! Listing a "newc" cpio archive, as Linux's `initramfs-buffer-format.rst` describes it.

use super::Format;

const HEADER_LEN: usize = 110;
const TRAILER: &[u8] = b"TRAILER!!!\0";

/// A file of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its path, as written.
    pub name: &'a str,
    /// Its contents; the target of a symbolic link.
    pub data: &'a [u8],
    /// Type and permissions, as in `st_mode`.
    pub mode: u32,
}

/// Iterator over the files of an archive, or of several one after another.
///
/// It ends at the first header that makes no sense; [`Self::is_complete`] says afterwards whether
/// that was the end.
#[derive(Clone, Debug)]
pub struct Archive<'a> {
    rest: &'a [u8],
    complete: bool,
}

impl<'a> Archive<'a> {
    /// The files in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            complete: false,
        }
    }

    /// Whether all that was read so far ended in a trailer and nothing but zeros followed it. Asked
    /// after the last entry it tells a whole archive from a damaged or shortened one.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Skips trailers, and the zeros that pad one archive to the next.
    fn skip_trailers(&mut self) {
        while self
            .rest
            .get(HEADER_LEN..)
            .is_some_and(|name| name.starts_with(TRAILER))
        {
            self.skip(HEADER_LEN + TRAILER.len());
            let zeros = self.rest.iter().take_while(|&&b| b == 0).count();
            self.rest = &self.rest[zeros..];
            self.complete = true;
        }
    }

    fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
}

impl<'a> Iterator for Archive<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if Format::of(self.rest) == Format::Cpio {
            self.skip_trailers();
        }
        if self.rest.is_empty() {
            return None;
        }
        self.complete = false;
        if Format::of(self.rest) != Format::Cpio {
            return None;
        }
        // The parser stops without a word at what it cannot read, so it is asked for one file at a
        // time, and where the next one starts is worked out here. A header at the very end passes
        // the parser even if what should follow it is missing.
        let file = cpio_reader::iter_files(self.rest).next()?;
        let data_at = (HEADER_LEN + file.name().len() + 1).next_multiple_of(4);
        let end = data_at
            .checked_add(file.file().len())
            .filter(|&end| end <= self.rest.len())?;
        self.skip(end);
        Some(Entry {
            name: file.name(),
            data: file.file(),
            mode: file.mode().bits(),
        })
    }
}
