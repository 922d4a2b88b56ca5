//! An arm64 Image, as a loader sees it: Linux, `Documentation/arch/arm64/booting.rst`, "Call the kernel image".

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned, little_endian::U64};

use crate::{Error, Room};

/// The base is a multiple of this plus `text_offset`.
const ALIGN: u64 = 2 << 20;
/// `flags`: big endian.
const BIG_ENDIAN: u64 = 1;
/// `flags`: the base may be anywhere. Without it, it is to be as low as possible, which it is anyway.
const LIMIT: u64 = 1 << 46;

#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Header {
    code: [u8; 8],
    text_offset: U64,
    image_size: U64,
    flags: U64,
    reserved: [u8; 24],
    magic: [u8; 4],
    pe: [u8; 4],
}

/// A kernel that passed: it is entered at its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// What goes into memory, all of the file.
    pub payload: &'a [u8],
    /// Where it goes.
    pub room: Room,
}

/// Looks at a file.
///
/// # Errors
/// Whatever keeps it from being started.
pub fn parse(file: &[u8]) -> Result<Image<'_>, Error> {
    let (header, _) = Header::ref_from_prefix(file).map_err(|_| Error::NotImage)?;
    if header.magic != *b"ARM\x64" {
        return Err(Error::NotImage);
    }
    let bytes = header.image_size.get();
    // An offset is what kernels of before Linux 5.10 have, and none of ours.
    if bytes < file.len() as u64 || header.text_offset.get() != 0 || header.flags.get() & BIG_ENDIAN != 0 {
        return Err(Error::BadHeader);
    }
    Ok(Image {
        payload: file,
        room: Room {
            bytes,
            align: ALIGN,
            first: 0,
            limit: LIMIT,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Vec<u8> {
        let mut image = vec![0; 0x100];
        image[16..24].copy_from_slice(&0x20_0000_u64.to_le_bytes());
        image[24] = 0xa;
        image[0x38..0x3c].copy_from_slice(b"ARM\x64");
        image
    }

    #[test]
    fn a_good_one_says_what_it_wants() {
        let image = image();
        let parsed = parse(&image).unwrap();
        assert_eq!(parsed.payload.len(), 0x100);
        assert_eq!((parsed.room.bytes, parsed.room.align), (2 << 20, 2 << 20));
    }

    #[test]
    fn bad_ones_are_refused() {
        let with = |at: usize, byte: u8| {
            let mut image = image();
            image[at] = byte;
            parse(&image).map(drop)
        };
        assert_eq!(parse(&[]).map(drop), Err(Error::NotImage));
        assert_eq!(parse(&image()[..0x3f]).map(drop), Err(Error::NotImage));
        assert_eq!(with(0x38, 0), Err(Error::NotImage));
        assert_eq!(with(18, 0), Err(Error::BadHeader), "image_size 0");
        assert_eq!(with(24, 0xb), Err(Error::BadHeader), "big endian");
        assert_eq!(with(8, 8), Err(Error::BadHeader), "text_offset");
    }
}
