//! The first look at a blob: is it a tree, and of sane size?
//!
//! One linear pass over the structure block. It is what makes the rest total: depth is bounded (each
//! level is parsed anew from the one above, so a walk costs at most depth times size), names are bounded (so a search among properties does
//! not read a megabyte for each), and every offset has been checked (the `fdt` crate adds offsets
//! of the header without looking for overflow).

use super::{Error, cells::u32_at};

/// Bytes of the header; what [`total_size`] must be given.
pub const HEADER_SIZE: usize = 40;

/// Largest blob that is believed, in bytes. The arm64 boot protocol allows no more.
pub const MAX_SIZE: usize = 2 << 20;

const MAGIC: u32 = 0xd00d_feed;
const MAX_DEPTH: usize = 16;
/// The specification allows 31 letters for names; real trees break that, but not by much.
const MAX_NAME: usize = 128;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROP: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// The size of a blob by the first [`HEADER_SIZE`] bytes of it: how much to map.
///
/// # Errors
/// [`Error::TooShort`], [`Error::BadMagic`], [`Error::BadSize`].
pub fn total_size(header: &[u8]) -> Result<usize, Error> {
    if header.len() < HEADER_SIZE {
        return Err(Error::TooShort);
    }
    if u32_at(header, 0) != Some(MAGIC) {
        return Err(Error::BadMagic);
    }
    let size = u32_at(header, 1).map_or(0, |s| s as usize);
    if (HEADER_SIZE..=MAX_SIZE).contains(&size) {
        Ok(size)
    } else {
        Err(Error::BadSize)
    }
}

/// A blob that has been looked through.
#[derive(Clone, Copy)]
pub(super) struct Scanned<'a> {
    /// Exactly the blob.
    pub blob: &'a [u8],
    /// The memory reservation block, up to the block that follows it.
    pub reservations: &'a [u8],
}

/// Looks through a blob.
pub(super) fn scan(bytes: &[u8]) -> Result<Scanned<'_>, Error> {
    let blob = bytes.get(..total_size(bytes)?).ok_or(Error::TooShort)?;
    let field = |i| u32_at(blob, i).map_or(0, |v| v as usize);
    let (version, last_compatible) = (field(5), field(6));
    if version < 17 || last_compatible > 17 {
        return Err(Error::BadVersion);
    }
    let block = |offset: usize, len: usize| {
        let end = offset.checked_add(len).ok_or(Error::BadOffset)?;
        blob.get(offset..end).ok_or(Error::BadOffset)
    };
    let structure = block(field(2), field(9))?;
    let names = block(field(3), field(8))?;
    // Nothing says how long it is, but where the next one begins.
    let others = [field(2), field(3), blob.len()];
    let end = others.into_iter().filter(|at| *at > field(4)).min();
    let reservations = blob.get(field(4)..end.unwrap_or(0)).ok_or(Error::BadOffset)?;
    if !structure.len().is_multiple_of(4) {
        return Err(Error::BadOffset);
    }
    tree(structure, names)?;
    Ok(Scanned { blob, reservations })
}

/// Checks the token stream: nodes nest, properties come before children, the end is at the end.
fn tree(structure: &[u8], names: &[u8]) -> Result<(), Error> {
    let mut rest = structure;
    let mut depth = 0;
    let mut may_have_props = false;
    loop {
        let token = u32_at(rest, 0).ok_or(Error::BadStructure)?;
        rest = &rest[4..];
        match token {
            NOP => {}
            BEGIN_NODE => {
                rest = skip(rest, name_len(rest)? + 1)?;
                depth += 1;
                may_have_props = true;
                if depth > MAX_DEPTH {
                    return Err(Error::TooDeep);
                }
            }
            PROP if may_have_props => rest = property(rest, names)?,
            END_NODE if depth > 0 => {
                depth -= 1;
                may_have_props = false;
                if depth == 0 {
                    return end(rest);
                }
            }
            _ => return Err(Error::BadStructure),
        }
    }
}

/// After the root node only the end may follow: the `fdt` crate looks for it in the last cell.
fn end(mut rest: &[u8]) -> Result<(), Error> {
    while u32_at(rest, 0) == Some(NOP) {
        rest = &rest[4..];
    }
    if rest.len() == 4 && u32_at(rest, 0) == Some(END) {
        Ok(())
    } else {
        Err(Error::BadStructure)
    }
}

fn property<'a>(rest: &'a [u8], names: &[u8]) -> Result<&'a [u8], Error> {
    let (Some(len), Some(name)) = (u32_at(rest, 0), u32_at(rest, 1)) else {
        return Err(Error::BadStructure);
    };
    name_len(names.get(name as usize..).ok_or(Error::BadStructure)?)?;
    skip(&rest[8..], len as usize)
}

fn name_len(bytes: &[u8]) -> Result<usize, Error> {
    bytes
        .iter()
        .take(MAX_NAME)
        .position(|&b| b == 0)
        .ok_or(Error::BadStructure)
}

/// Behind `len` bytes and their padding to a whole cell.
fn skip(rest: &[u8], len: usize) -> Result<&[u8], Error> {
    len.checked_next_multiple_of(4)
        .and_then(|len| rest.get(len..))
        .ok_or(Error::BadStructure)
}
