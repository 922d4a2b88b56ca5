//! What kind of file an initial RAM disk is, by its first bytes.

use core::fmt;

/// The formats Linux takes, of which only the first can be listed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A "newc" cpio archive, with or without checksums.
    Cpio,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// LZMA.
    Lzma,
    /// xz.
    Xz,
    /// LZ4, the legacy frame.
    Lz4,
    /// Zstandard.
    Zstd,
    /// None of these.
    Unknown,
}

const MAGIC: &[(&[u8], Format)] = &[
    (b"070701", Format::Cpio),
    (b"070702", Format::Cpio),
    (&[0x1f, 0x8b], Format::Gzip),
    (b"BZh", Format::Bzip2),
    (&[0x5d, 0, 0], Format::Lzma),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], Format::Xz),
    (&[0x02, 0x21, 0x4c, 0x18], Format::Lz4),
    (&[0x28, 0xb5, 0x2f, 0xfd], Format::Zstd),
];

impl Format {
    /// By magic number. Six bytes are enough.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        MAGIC
            .iter()
            .find(|(magic, _)| bytes.starts_with(magic))
            .map_or(Self::Unknown, |&(_, format)| format)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpio => "cpio",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "lzma",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Unknown => "unknown format",
        })
    }
}
