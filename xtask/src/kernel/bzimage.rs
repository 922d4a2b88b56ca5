//! The bzImage of an x86 kernel: its real-mode setup, then what lies in memory after loading.
//!
//! The linker has filled in the setup header (`arch/x86/README.md`). Nothing is patched here; what does not fit is refused.

use anyhow::{Context, Result, ensure};

use super::elf::Elf;
use super::image::flatten;

/// The unit of `setup_sects`.
const SECTOR: usize = 512;
/// The unit of `syssize`.
const PARAGRAPH: usize = 16;

/// Composes it.
///
/// # Errors
/// When `elf` is no ELF file, lacks the setup, or its header says something else than is true.
pub fn compose(elf: &[u8]) -> Result<Vec<u8>> {
    let elf = Elf::parse(elf)?;
    let setup = &elf.section(".setup").context("no section .setup")?.bytes;
    let payload = flatten(&elf.loads)?;
    let symbol = |name| elf.symbol(name).with_context(|| format!("no symbol {name}"));
    check(setup, payload.len(), symbol("_end")? - symbol("_text")?)?;
    Ok([setup.as_slice(), &payload].concat())
}

/// Holds the setup header against what it describes: Linux, `Documentation/arch/x86/boot.rst`.
fn check(setup: &[u8], payload: usize, memory: u64) -> Result<()> {
    ensure!(
        setup.len().is_multiple_of(SECTOR) && setup.len() >= 2 * SECTOR,
        "the setup is {} bytes, not whole sectors",
        setup.len()
    );
    ensure!(setup.get(0x1fe..0x200) == Some(&[0x55, 0xaa]), "no boot flag");
    ensure!(setup.get(0x202..0x206) == Some(b"HdrS"), "no setup header");
    let sectors = setup.len() / SECTOR - 1;
    ensure!(
        usize::from(setup[0x1f1]) == sectors,
        "setup_sects is {}, not {sectors}",
        setup[0x1f1]
    );
    ensure!(
        payload.is_multiple_of(PARAGRAPH),
        "the payload is {payload} bytes, not whole paragraphs"
    );
    let size = long(setup, 0x1f4)?;
    ensure!(
        size == (payload / PARAGRAPH) as u64,
        "syssize is {size} paragraphs, not {}",
        payload / PARAGRAPH
    );
    let init = long(setup, 0x260)?;
    ensure!(
        init == memory,
        "init_size is {init}, but the image takes {memory} bytes"
    );
    ensure!(
        init >= payload as u64,
        "init_size is {init}, less than the {payload} bytes of payload"
    );
    Ok(())
}

fn long(setup: &[u8], at: usize) -> Result<u64> {
    let bytes = setup.get(at..at + 4).context("the setup header is cut off")?;
    Ok(bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header that is true of a payload of 64 KiB that takes 128.
    fn setup() -> Vec<u8> {
        let mut setup = vec![0; 3 * SECTOR];
        setup[0x1f1] = 2;
        setup[0x1f4..0x1f8].copy_from_slice(&0x1000_u32.to_le_bytes());
        setup[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
        setup[0x202..0x206].copy_from_slice(b"HdrS");
        setup[0x260..0x264].copy_from_slice(&0x2_0000_u32.to_le_bytes());
        setup
    }

    #[test]
    fn a_true_header_passes() {
        check(&setup(), 0x1_0000, 0x2_0000).unwrap();
    }

    #[test]
    fn each_lie_is_found() {
        for (at, name) in [
            (0x1f1, "setup_sects"),
            (0x1f5, "syssize"),
            (0x1fe, "boot flag"),
            (0x202, "setup header"),
            (0x261, "init_size"),
        ] {
            let mut setup = setup();
            setup[at] ^= 0x40;
            let error = check(&setup, 0x1_0000, 0x2_0000).unwrap_err().to_string();
            assert!(error.contains(name), "{at:#x}: {error}");
        }
        assert!(check(&setup(), 0x1_0001, 0x2_0000).is_err());
        assert!(check(&setup(), 0x1_0000, 0x2_1000).is_err());
        assert!(check(&setup()[..SECTOR], 0x1_0000, 0x2_0000).is_err());
        assert!(check(&[], 0, 0).is_err());
    }
}
