//! What an ELF file says, 32 or 64 bit.

use std::ops::Range;

use anyhow::{Context, Result};
use object::read::elf::{ElfFile32, ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, FileKind, Object, ObjectSection, ObjectSymbol};

/// A part of the file that a loader puts into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Where the code believes to be.
    pub virt: u64,
    /// Where the loader puts it.
    pub phys: u64,
    /// The bytes in the file.
    pub bytes: Vec<u8>,
    /// Bytes in memory; what the file lacks is zero.
    pub memory: u64,
}

/// A section, as far as images need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    pub virt: u64,
    pub bytes: Vec<u8>,
}

/// What xtask wants to know of a kernel's ELF file.
#[derive(Clone, Debug)]
pub struct Elf {
    /// In order of physical address.
    pub loads: Vec<Load>,
    pub sections: Vec<Section>,
    /// Name as in the file, and value.
    pub symbols: Vec<(String, u64)>,
    /// In hexadecimal, as the kernel prints it.
    pub build_id: Option<String>,
}

/// Where in the file the variable called exactly `symbol` lies; `None` if there is none.
///
/// # Errors
/// When it is no ELF file.
pub fn in_file(data: &[u8], symbol: &str) -> Result<Option<Range<usize>>> {
    let file = object::File::parse(data).context("not an ELF file")?;
    let place = || {
        let symbol = file.symbols().find(|one| one.name() == Ok(symbol))?;
        let section = file.section_by_index(symbol.section_index()?).ok()?;
        let (start, _) = section.file_range()?;
        let at = usize::try_from(start + symbol.address().checked_sub(section.address())?).ok()?;
        Some(at..at.checked_add(usize::try_from(symbol.size()).ok()?)?)
    };
    Ok(place())
}

/// Bytes as the kernel prints its build id.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Elf {
    /// Reads a little-endian ELF file of either width.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(data: &[u8]) -> Result<Self> {
        match FileKind::parse(data).context("not an ELF file")? {
            FileKind::Elf32 => {
                let file = ElfFile32::<Endianness>::parse(data)?;
                Ok(Self {
                    loads: loads(file.elf_header(), data)?,
                    ..common(&file)?
                })
            }
            FileKind::Elf64 => {
                let file = ElfFile64::<Endianness>::parse(data)?;
                Ok(Self {
                    loads: loads(file.elf_header(), data)?,
                    ..common(&file)?
                })
            }
            other => anyhow::bail!("not an ELF file but {other:?}"),
        }
    }

    /// The value of the symbol called exactly `name`.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        self.symbols
            .iter()
            .find(|(symbol, _)| symbol == name)
            .map(|(_, value)| *value)
    }

    /// The value of the symbol that Rust calls `name`, as in `kernel::account::STOP`.
    pub fn rust_symbol(&self, name: &str) -> Option<u64> {
        let is_it = |symbol: &str| format!("{:#}", rustc_demangle::demangle(symbol)) == name;
        let found = self.symbols.iter().find(|(symbol, _)| is_it(symbol));
        found.map(|(_, value)| *value)
    }

    /// The build id as it is stored; `None` if there is none.
    pub fn build_id_bytes(&self) -> Option<Vec<u8>> {
        let digits = self.build_id.as_deref()?;
        let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        (0..digits.len()).step_by(2).map(byte).collect()
    }

    /// The section called `name`.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

fn loads<H: FileHeader<Endian = Endianness>>(header: &H, data: &[u8]) -> Result<Vec<Load>> {
    let endian = header.endian()?;
    let mut loads = Vec::new();
    for segment in header.program_headers(endian, data)? {
        if segment.p_type(endian) != object::elf::PT_LOAD {
            continue;
        }
        let bytes = segment
            .data(endian, data)
            .ok()
            .context("a segment lies outside the file")?;
        loads.push(Load {
            virt: segment.p_vaddr(endian).into(),
            phys: segment.p_paddr(endian).into(),
            bytes: bytes.to_vec(),
            memory: segment.p_memsz(endian).into(),
        });
    }
    loads.sort_by_key(|load| load.phys);
    Ok(loads)
}

fn common<'data>(file: &impl Object<'data>) -> Result<Elf> {
    let mut sections = Vec::new();
    for section in file.sections() {
        sections.push(Section {
            name: section.name().unwrap_or_default().to_owned(),
            virt: section.address(),
            bytes: section.data().unwrap_or_default().to_vec(),
        });
    }
    let symbols = file
        .symbols()
        .filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.address())));
    let build_id = file.build_id()?.map(hex);
    Ok(Elf {
        loads: Vec::new(),
        sections,
        symbols: symbols.collect(),
        build_id,
    })
}
