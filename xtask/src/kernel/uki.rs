//! One `.efi` file out of the loader and what it carries, in the manner of a unified kernel image: each part a section.
//!
//! The sections come behind those that the linker made, and nothing else moves: the headers have room for their entries.

use anyhow::{Context, Result, anyhow, ensure};
use object::LittleEndian as LE;
use object::pe::{
    IMAGE_NT_SIGNATURE, IMAGE_SCN_CNT_INITIALIZED_DATA, IMAGE_SCN_MEM_READ, ImageDosHeader, ImageFileHeader,
    ImageOptionalHeader32, ImageSectionHeader,
};
use object::pod;

/// Firmware's own limit is 4 GiB, and what is larger than this was not meant.
const LARGEST: usize = 1 << 30;

/// A section to be: a name of at most eight bytes, and what is in it.
pub type Part<'a> = (&'static str, &'a [u8]);

/// The parts of a kernel: what the loader looks for.
pub fn parts<'a>(kernel: &'a [u8], initrd: Option<&'a [u8]>, cmdline: Option<&'a [u8]>) -> Vec<Part<'a>> {
    let mut parts = vec![(".linux", kernel)];
    // A section without bytes is nothing that firmware must take.
    parts.extend(
        initrd
            .filter(|initrd| !initrd.is_empty())
            .map(|initrd| (".initrd", initrd)),
    );
    parts.extend(cmdline.map(|cmdline| (".cmdline", cmdline)));
    parts
}

/// Adds `parts` to the PE file `loader`.
///
/// # Errors
/// When it is no PE file, has no room for more sections, or would grow beyond a gibibyte.
pub fn compose(loader: &[u8], parts: &[Part<'_>]) -> Result<Vec<u8>> {
    let mut file = loader.to_vec();
    for (name, bytes) in parts {
        ensure!(
            bytes.len() <= LARGEST && file.len() <= LARGEST,
            "{name} makes the file larger than a gibibyte"
        );
        add(&mut file, name, bytes).with_context(|| format!("cannot add the section {name}"))?;
    }
    Ok(file)
}

/// Where a PE file keeps what matters here. The optional header is the 32-bit one: the 64-bit one has the same fields at the
/// same places, as far as they are used.
struct Places {
    file_header: usize,
    optional: usize,
    table: usize,
}

impl Places {
    fn of(file: &[u8]) -> Result<Self> {
        let signature = at::<ImageDosHeader>(file, 0)?.e_lfanew.get(LE) as usize;
        ensure!(
            at::<ImageDosHeader>(file, 0)?.e_magic.get(LE) == object::pe::IMAGE_DOS_SIGNATURE
                && file.get(signature..).and_then(<[u8]>::first_chunk)
                    == Some(&IMAGE_NT_SIGNATURE.to_le_bytes()),
            "not a PE file"
        );
        let file_header = signature + 4;
        let optional = file_header + size_of::<ImageFileHeader>();
        let header: &ImageFileHeader = at(file, file_header)?;
        Ok(Self {
            file_header,
            optional,
            table: optional + usize::from(header.size_of_optional_header.get(LE)),
        })
    }
}

fn at<T: pod::Pod>(file: &[u8], offset: usize) -> Result<&T> {
    let bytes = file.get(offset..).context("the headers are cut off")?;
    pod::from_bytes(bytes)
        .map(|(value, _)| value)
        .map_err(|()| anyhow!("the headers are cut off"))
}

fn at_mut<T: pod::Pod>(file: &mut [u8], offset: usize) -> Result<&mut T> {
    let bytes = file.get_mut(offset..).context("the headers are cut off")?;
    pod::from_bytes_mut(bytes)
        .map(|(value, _)| value)
        .map_err(|()| anyhow!("the headers are cut off"))
}

fn sections(file: &[u8], places: &Places) -> Result<Vec<ImageSectionHeader>> {
    let count = at::<ImageFileHeader>(file, places.file_header)?
        .number_of_sections
        .get(LE);
    let entry = |index| at(file, places.table + index * size_of::<ImageSectionHeader>()).copied();
    (0..usize::from(count)).map(entry).collect()
}

fn add(file: &mut Vec<u8>, name: &str, bytes: &[u8]) -> Result<()> {
    let places = Places::of(file)?;
    let sections = sections(file, &places)?;
    let optional: ImageOptionalHeader32 = *at(file, places.optional)?;
    let (in_memory, in_file) = (
        optional.section_alignment.get(LE),
        optional.file_alignment.get(LE),
    );
    ensure!(
        in_memory.is_power_of_two() && in_file.is_power_of_two(),
        "the alignments are no powers of two"
    );
    let entry = places.table + sections.len() * size_of::<ImageSectionHeader>();
    let end = entry + size_of::<ImageSectionHeader>();
    let first = sections
        .iter()
        .map(|section| section.pointer_to_raw_data.get(LE))
        .filter(|at| *at != 0);
    let room = first.chain([optional.size_of_headers.get(LE)]).min().unwrap_or(0);
    ensure!(end <= room as usize, "the headers have no room for another");
    let address = sections
        .iter()
        .map(|section| {
            section
                .virtual_address
                .get(LE)
                .saturating_add(section.virtual_size.get(LE))
        })
        .max()
        .unwrap_or(room);
    let address = address
        .checked_next_multiple_of(in_memory)
        .context("the addresses are used up")?;
    let data = padded(file, bytes, in_file as usize);

    let header = header(name, address, bytes.len(), data.clone());
    *at_mut(file, entry)? = header;
    let count = u16::try_from(sections.len() + 1)?;
    at_mut::<ImageFileHeader>(file, places.file_header)?
        .number_of_sections
        .set(LE, count);
    let optional: &mut ImageOptionalHeader32 = at_mut(file, places.optional)?;
    let image = address as usize + bytes.len();
    let initialized = optional.size_of_initialized_data.get(LE) as usize + data.len();
    optional
        .size_of_image
        .set(LE, u32::try_from(image.next_multiple_of(in_memory as usize))?);
    optional
        .size_of_initialized_data
        .set(LE, u32::try_from(initialized)?);
    // Drivers have to have one that is right; for applications none at all is.
    optional.check_sum.set(LE, 0);
    Ok(())
}

/// Appends `bytes` at the next aligned place, up to another, and says where that is.
fn padded(file: &mut Vec<u8>, bytes: &[u8], align: usize) -> std::ops::Range<usize> {
    file.resize(file.len().next_multiple_of(align), 0);
    let start = file.len();
    file.extend_from_slice(bytes);
    file.resize(file.len().next_multiple_of(align), 0);
    start..file.len()
}

fn header(name: &str, address: u32, bytes: usize, data: std::ops::Range<usize>) -> ImageSectionHeader {
    let mut padded = [0; 8];
    padded
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = from);
    // None is larger than `LARGEST`.
    let word = |value: usize| object::U32::new(LE, value as u32);
    ImageSectionHeader {
        name: padded,
        virtual_size: word(bytes),
        virtual_address: object::U32::new(LE, address),
        size_of_raw_data: word(data.len()),
        pointer_to_raw_data: word(data.start),
        pointer_to_relocations: Default::default(),
        pointer_to_linenumbers: Default::default(),
        number_of_relocations: Default::default(),
        number_of_linenumbers: Default::default(),
        characteristics: object::U32::new(LE, IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ),
    }
}

#[cfg(test)]
mod tests {
    use efi_loader::parts;

    use super::*;

    /// The least that firmware would call a PE file: headers of `room` bytes and one section of code.
    fn program(wide: bool, room: u32) -> Vec<u8> {
        let mut file = vec![0; room as usize + 0x200];
        let word =
            |file: &mut [u8], at: usize, value: u32| file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        file[..2].copy_from_slice(b"MZ");
        word(&mut file, 0x3c, 0x40);
        file[0x40..0x44].copy_from_slice(b"PE\0\0");
        let optional = if wide { 240_u16 } else { 224 };
        word(&mut file, 0x46, 1); // one section
        file[0x54..0x56].copy_from_slice(&optional.to_le_bytes());
        let magic = if wide { 0x20b_u16 } else { 0x10b };
        file[0x58..0x5a].copy_from_slice(&magic.to_le_bytes());
        for (at, value) in [(32, 0x1000), (36, 0x200), (56, 0x2000), (60, room), (64, 0x1234)] {
            word(&mut file, 0x58 + at, value);
        }
        word(&mut file, 0x58 + usize::from(optional) - 132, 16); // data directories
        let section = 0x58 + usize::from(optional);
        file[section..section + 5].copy_from_slice(b".text");
        for (at, value) in [(8, 0x123), (12, 0x1000), (16, 0x200), (20, room)] {
            word(&mut file, section + at, value);
        }
        file
    }

    /// The file as firmware puts it into memory.
    fn loaded(file: &[u8]) -> Vec<u8> {
        let places = Places::of(file).unwrap();
        let optional: ImageOptionalHeader32 = *at(file, places.optional).unwrap();
        let mut memory = vec![0; optional.size_of_image.get(LE) as usize];
        let headers = optional.size_of_headers.get(LE) as usize;
        memory[..headers].copy_from_slice(&file[..headers]);
        for section in sections(file, &places).unwrap() {
            let from = section.pointer_to_raw_data.get(LE) as usize;
            let bytes = section.size_of_raw_data.get(LE).min(section.virtual_size.get(LE)) as usize;
            let to = section.virtual_address.get(LE) as usize;
            assert_eq!((from % 0x200, to % 0x1000), (0, 0), "alignment");
            memory[to..to + bytes].copy_from_slice(&file[from..from + bytes]);
        }
        memory
    }

    #[test]
    fn the_loader_finds_what_was_put_in() {
        let (kernel, initrd) = (vec![0x5a; 0x1_2345], vec![0xa5; 0x777]);
        for wide in [true, false] {
            let parts = parts(&kernel, Some(&initrd), Some(b"run=cpus"));
            let file = compose(&program(wide, 0x400), &parts).unwrap();
            let memory = loaded(&file);
            let found = parts::find(&memory).unwrap();
            assert_eq!(found.kernel, kernel);
            assert_eq!(found.initrd, Some(&initrd[..]));
            assert_eq!(found.cmdline, Some(&b"run=cpus"[..]));
        }
    }

    #[test]
    fn what_is_not_given_is_not_there() {
        let kernel = [1, 2, 3];
        let file = compose(&program(true, 0x400), &parts(&kernel, Some(&[]), None)).unwrap();
        let memory = loaded(&file);
        let found = parts::find(&memory).unwrap();
        assert_eq!(
            (found.kernel, found.initrd, found.cmdline),
            (&kernel[..], None, None)
        );
        let bare = loaded(&program(true, 0x400));
        assert_eq!(parts::find(&bare), Err(efi_loader::Error::NoKernel));
    }

    #[test]
    fn a_loader_cut_off_anywhere_finds_nothing_and_does_not_fall() {
        let file = compose(&program(true, 0x400), &parts(&[7; 5000], None, Some(b"x"))).unwrap();
        let memory = loaded(&file);
        for end in 0..memory.len() {
            assert!(
                parts::find(&memory[..end]).is_err() || end > memory.len() - 0x1000,
                "{end}"
            );
        }
    }

    #[test]
    fn headers_without_room_are_refused() {
        // 0x58 + 240 and one section of 40 bytes end at 0x170; the next at 0x198.
        assert!(compose(&program(true, 0x198), &[(".linux", b"x")]).is_ok());
        let error = compose(&program(true, 0x190), &[(".linux", b"x")]).unwrap_err();
        assert!(format!("{error:#}").contains("no room"), "{error:#}");
    }

    #[test]
    fn no_file_makes_it_panic() {
        let good = program(true, 0x400);
        for end in 0..good.len() {
            let _ = compose(&good[..end], &[(".linux", b"x")]);
        }
        for at in 0..0x200 {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bad = good.clone();
                bad[at] = byte;
                let _ = compose(&bad, &[(".linux", b"x"), (".cmdline", b"")]);
            }
        }
        assert!(compose(b"", &[(".linux", b"x")]).is_err());
        assert!(compose(b"\x7fELF", &[(".linux", b"x")]).is_err());
    }
}
