//! The raw image of aarch64: what lies in memory after loading, byte for byte.

use anyhow::{Context, Result, ensure};

use super::elf::{Elf, Load};

/// No kernel of ours comes near; a stray segment would make a file of gigabytes.
const LARGEST: u64 = 64 << 20;

/// The `Image` of an aarch64 kernel: its header is the first thing in the text (Linux, `Documentation/arm64/booting`).
///
/// # Errors
/// When `elf` is no ELF file, or what it loads does not begin with the arm64 header.
pub fn compose(elf: &[u8]) -> Result<Vec<u8>> {
    let image = flatten(&Elf::parse(elf)?.loads)?;
    ensure!(
        image.get(0x38..0x3c) == Some(b"ARM\x64"),
        "no arm64 image header at the start of what is loaded"
    );
    Ok(image)
}

/// Concatenates `loads`, in order of physical address, zeros between them. What only memory has (bss) stays out.
///
/// # Errors
/// When they overlap, or lie so far apart that this cannot be meant.
pub fn flatten(loads: &[Load]) -> Result<Vec<u8>> {
    let start = loads
        .iter()
        .find(|load| !load.bytes.is_empty())
        .context("nothing to load")?
        .phys;
    let mut image = Vec::new();
    for load in loads.iter().filter(|load| !load.bytes.is_empty()) {
        let offset = load.phys - start;
        ensure!(
            offset <= LARGEST,
            "a segment at {:#x}, {offset:#x} bytes after the first",
            load.phys
        );
        let offset = usize::try_from(offset)?;
        ensure!(offset >= image.len(), "segments overlap at {:#x}", load.phys);
        image.resize(offset, 0);
        image.extend_from_slice(&load.bytes);
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(phys: u64, bytes: &[u8]) -> Load {
        Load {
            virt: 0,
            phys,
            bytes: bytes.to_vec(),
            memory: bytes.len() as u64,
        }
    }

    #[test]
    fn gaps_are_zero() {
        let image = flatten(&[load(0x1000, b"ab"), load(0x1004, b"c"), load(0x2000, b"")]).unwrap();
        assert_eq!(image, b"ab\0\0c");
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(flatten(&[]).is_err());
        assert!(flatten(&[load(0x1000, b"abc"), load(0x1001, b"c")]).is_err());
        assert!(flatten(&[load(0, b"a"), load(1 << 40, b"c")]).is_err());
        assert!(compose(b"\x7fELF").is_err());
        assert!(compose(b"").is_err());
    }
}
