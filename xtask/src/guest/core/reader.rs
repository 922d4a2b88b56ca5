//! A core, opened again.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::{Architecture, Object, ObjectKind, ObjectSegment, ReadCache, ReadRef};

use crate::arch::Arch;
use crate::kernel::elf::hex;

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
        let core = Self(ReadCache::new(file));
        core.arch()
            .with_context(|| format!("{name} is no core of ours"))?;
        Ok(core)
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
