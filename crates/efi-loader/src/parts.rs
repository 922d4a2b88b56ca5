//! The parts that one `.efi` file carries, found in the loader's own memory.

use object::LittleEndian as LE;
use object::pe::{ImageDosHeader, ImageNtHeaders32, ImageNtHeaders64, ImageSectionHeader};
use object::read::coff::SectionTable;
use object::read::pe::ImageNtHeaders;

use crate::Error;

/// The sections that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts<'a> {
    /// `.linux`.
    pub kernel: &'a [u8],
    /// `.initrd`.
    pub initrd: Option<&'a [u8]>,
    /// `.cmdline`.
    pub cmdline: Option<&'a [u8]>,
}

/// Finds the parts in `image`: the file as firmware has put it into memory, headers first, each section at its address
/// relative to them.
///
/// # Errors
/// [`Error::NoHeaders`], [`Error::NoKernel`], [`Error::CutOff`].
pub fn find(image: &[u8]) -> Result<Parts<'_>, Error> {
    let mut parts = Parts::default();
    let mut found = false;
    for section in sections(image)?.iter() {
        let Some(wanted) = Wanted::of(section) else {
            continue;
        };
        let bytes = bytes(image, section)?;
        match wanted {
            Wanted::Kernel => (parts.kernel, found) = (bytes, true),
            Wanted::Initrd => parts.initrd = Some(bytes),
            Wanted::CommandLine => parts.cmdline = Some(bytes),
        }
    }
    if found { Ok(parts) } else { Err(Error::NoKernel) }
}

enum Wanted {
    Kernel,
    Initrd,
    CommandLine,
}

impl Wanted {
    fn of(section: &ImageSectionHeader) -> Option<Self> {
        match section.raw_name() {
            b".linux" => Some(Self::Kernel),
            b".initrd" => Some(Self::Initrd),
            b".cmdline" => Some(Self::CommandLine),
            _ => None,
        }
    }
}

/// Firmware of either width keeps the same headers but for the one in the middle.
fn sections(image: &[u8]) -> Result<SectionTable<'_>, Error> {
    let dos = ImageDosHeader::parse(image).map_err(|_| Error::NoHeaders)?;
    let at = dos.nt_headers_offset().into();
    table::<ImageNtHeaders64>(image, at)
        .or_else(|| table::<ImageNtHeaders32>(image, at))
        .ok_or(Error::NoHeaders)
}

fn table<H: ImageNtHeaders>(image: &[u8], mut at: u64) -> Option<SectionTable<'_>> {
    let (headers, _) = H::parse(image, &mut at).ok()?;
    headers.sections(image, at).ok()
}

/// `virtual_size` is what was put in; the size in the file is rounded up.
fn bytes<'a>(image: &'a [u8], section: &ImageSectionHeader) -> Result<&'a [u8], Error> {
    let start = section.virtual_address.get(LE) as usize;
    let size = section.virtual_size.get(LE) as usize;
    let end = start.checked_add(size).ok_or(Error::CutOff)?;
    image.get(start..end).ok_or(Error::CutOff)
}
