//! A core, opened again.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Architecture, Endianness, Object, ObjectKind, ObjectSegment, ReadCache, ReadRef};

use crate::arch::Arch;
use crate::kernel::elf::hex;

/// The end of the furthest segment, or of the headers where the segments are not said.
fn end_of<H: FileHeader<Endian = Endianness>>(data: &ReadCache<File>) -> Option<u64> {
    let Ok(header) = H::parse(data) else {
        return Some(size_of::<H>() as u64);
    };
    let endian = header.endian().ok()?;
    let table = header.e_phoff(endian).into();
    let count = u64::from(header.e_phnum(endian));
    let table_end = table.checked_add(count.checked_mul(u64::from(header.e_phentsize(endian)))?)?;
    let segments = header.program_headers(endian, data).unwrap_or_default().iter();
    let ends = segments.filter_map(|segment| {
        let start: u64 = segment.p_offset(endian).into();
        start.checked_add(segment.p_filesz(endian).into())
    });
    ends.chain([table_end]).max()
}

/// A core, being read. Only what is asked for is read of it.
pub struct Core(ReadCache<File>);

impl Core {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// When it is not a core of a machine that we have.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let len = file
            .metadata()
            .with_context(|| format!("cannot open {name}"))?
            .len();
        let core = Self(ReadCache::new(file));
        // What is cut off in the middle of its headers cannot be read at all, and what is cut off later reads as nothing.
        let missing = core.end().map(|end| end.saturating_sub(len));
        if let Some(missing @ 1..) = missing {
            bail!("{name} is cut off: it has {len} bytes, and {missing} more should follow");
        }
        core.arch()
            .with_context(|| format!("{name} is no core of ours"))?;
        Ok(core)
    }

    /// Where the file ends as its headers have it; `None` if it does not begin as an ELF file.
    fn end(&self) -> Option<u64> {
        let kind: &[u8; 5] = (&self.0).read_bytes_at(0, 5).ok()?.try_into().ok()?;
        match kind {
            [0x7f, b'E', b'L', b'F', 1] => end_of::<FileHeader32<Endianness>>(&self.0),
            [0x7f, b'E', b'L', b'F', 2] => end_of::<FileHeader64<Endianness>>(&self.0),
            _ => None,
        }
    }

    fn file(&self) -> Result<object::File<'_, &ReadCache<File>>> {
        let file = object::File::parse(&self.0)?;
        ensure!(file.kind() == ObjectKind::Core, "it is no core");
        Ok(file)
    }

    /// Of the machine.
    ///
    /// # Errors
    /// When there is none of that kind.
    pub fn arch(&self) -> Result<Arch> {
        match self.file()?.architecture() {
            Architecture::X86_64 => Ok(Arch::X86_64),
            Architecture::I386 => Ok(Arch::I386),
            Architecture::Aarch64 => Ok(Arch::Aarch64),
            other => bail!("it is of a machine of kind {other:?}"),
        }
    }

    /// The build of the kernel, as it prints it.
    ///
    /// # Errors
    /// When it is not said.
    pub fn build_id(&self) -> Result<String> {
        let file = self.file()?;
        let id = file.build_id()?;
        id.map(hex)
            .context("it has no build id: cargo xtask core did not write it")
    }

    /// `len` bytes of memory at the kernel's address `at`.
    ///
    /// # Errors
    /// When they are not in it, or not in one piece.
    pub fn read(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        let file = self.file()?;
        let found = file.segments().find_map(|segment| {
            let (start, size) = segment.file_range();
            let offset = at.checked_sub(segment.address())?;
            let room = size.checked_sub(offset)?;
            let bytes = (&self.0).read_bytes_at(start + offset, len as u64);
            bytes.ok().filter(|_| len as u64 <= room)
        });
        found
            .map(<[u8]>::to_vec)
            .with_context(|| format!("{len} bytes at {at:#x} are not in the core"))
    }
}
