//! A bzImage, as a loader sees it: Linux, `Documentation/arch/x86/boot.rst`, protocol 2.12 and later.

use boot_info::linux_x86::layout::SetupHeader;
use zerocopy::FromBytes;

use crate::{Error, Room};

/// Where the setup header lies, in the file and in `boot_params`.
pub const HEADER: usize = 0x1f1;
/// The unit of `setup_sects`, bytes.
const SECTOR: usize = 512;
/// The unit of `syssize`, bytes.
const PARAGRAPH: usize = 16;
/// The first protocol with `xloadflags`.
const VERSION: u16 = 0x20c;
/// `xloadflags`: there is an entry for 64-bit mode, 0x200 bytes into the payload.
const KERNEL_64: u16 = 1;

/// The width of the firmware, and so of the kernel it can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32 bit.
    W32,
    /// 64 bit.
    W64,
}

/// A kernel that passed.
#[derive(Clone, Copy)]
pub struct BzImage<'a> {
    /// What goes into memory.
    pub payload: &'a [u8],
    /// What it says of itself, cut to what this protocol knows.
    pub header: &'a SetupHeader,
    /// Where it goes.
    pub room: Room,
    /// From the payload's first byte to the entry.
    pub entry: u64,
}

/// Looks at a file.
///
/// # Errors
/// Whatever keeps it from being started by firmware of `width`.
pub fn parse(file: &[u8], width: Width) -> Result<BzImage<'_>, Error> {
    let header = file.get(HEADER..).ok_or(Error::NotBzImage)?;
    let (header, _) = SetupHeader::ref_from_prefix(header).map_err(|_| Error::NotBzImage)?;
    if header.boot_flag.get() != 0xaa55 || header.header != *b"HdrS" || header.version.get() < VERSION {
        return Err(Error::NotBzImage);
    }
    match (width, header.xloadflags.get() & KERNEL_64 != 0) {
        (Width::W32, true) => return Err(Error::Only64),
        (Width::W64, false) => return Err(Error::Only32),
        _ => {}
    }
    if header.relocatable_kernel == 0 {
        return Err(Error::NotRelocatable);
    }
    let payload = payload(file, header)?;
    Ok(BzImage {
        payload,
        header,
        room: room(header, payload)?,
        entry: if width == Width::W64 { 0x200 } else { 0 },
    })
}

fn payload<'a>(file: &'a [u8], header: &SetupHeader) -> Result<&'a [u8], Error> {
    // None means four: what the field was before there was one.
    let sectors = match header.setup_sects {
        0 => 4,
        sectors => usize::from(sectors),
    };
    let payload = file.get((sectors + 1) * SECTOR..).ok_or(Error::KernelCutOff)?;
    let said = header.syssize.get() as usize;
    if said == 0 || payload.len().div_ceil(PARAGRAPH) < said {
        return Err(Error::KernelCutOff);
    }
    Ok(payload)
}

fn room(header: &SetupHeader, payload: &[u8]) -> Result<Room, Error> {
    let room = Room {
        bytes: header.init_size.get().into(),
        align: header.kernel_alignment.get().into(),
        first: header.pref_address.get(),
        limit: u64::from(header.initrd_addr_max.get()) + 1,
    };
    let sane = room.align.is_power_of_two()
        && room.align >= crate::PAGE
        && room.bytes >= payload.len() as u64
        && room.first < room.limit;
    sane.then_some(room).ok_or(Error::BadHeader)
}
