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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two sectors of setup and 64 KiB of payload, as our linker and xtask compose it.
    pub(crate) fn file(wide: bool) -> Vec<u8> {
        let mut file = vec![0; 3 * SECTOR + (64 << 10)];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0x1f1, &[2]);
        put(0x1f4, &0x1000_u32.to_le_bytes());
        put(0x1fe, &[0x55, 0xaa, 0xeb, 0x6a]);
        put(0x202, b"HdrS\x0f\x02");
        put(0x22c, &0x7fff_ffff_u32.to_le_bytes());
        put(0x230, &0x20_0000_u32.to_le_bytes());
        put(0x234, &[1, 21, u8::from(wide)]);
        put(0x238, &2047_u32.to_le_bytes());
        put(0x258, &0x20_0000_u64.to_le_bytes());
        put(0x260, &0x4_0000_u32.to_le_bytes());
        put(3 * SECTOR, b"payload");
        file
    }

    #[test]
    fn each_width_has_its_entry() {
        for (wide, width, entry) in [(true, Width::W64, 0x200), (false, Width::W32, 0)] {
            let file = file(wide);
            let kernel = parse(&file, width).ok().unwrap();
            assert_eq!((kernel.entry, kernel.payload.len()), (entry, 64 << 10));
            assert!(kernel.payload.starts_with(b"payload"));
            let room = Room {
                bytes: 0x4_0000,
                align: 2 << 20,
                first: 2 << 20,
                limit: 1 << 31,
            };
            assert_eq!(kernel.room, room);
        }
    }

    #[test]
    fn bad_ones_are_refused() {
        let with = |at: usize, byte: u8| {
            let mut file = file(true);
            file[at] = byte;
            parse(&file, Width::W64).err()
        };
        assert_eq!(parse(&file(true), Width::W32).err(), Some(Error::Only64));
        assert_eq!(parse(&file(false), Width::W64).err(), Some(Error::Only32));
        assert_eq!(with(0x1fe, 0), Some(Error::NotBzImage), "boot flag");
        assert_eq!(with(0x203, 0), Some(Error::NotBzImage), "HdrS");
        assert_eq!(with(0x207, 1), Some(Error::NotBzImage), "version");
        assert_eq!(with(0x234, 0), Some(Error::NotRelocatable));
        assert_eq!(with(0x231, 1), Some(Error::BadHeader), "alignment");
        assert_eq!(with(0x262, 0), Some(Error::BadHeader), "init_size");
        assert_eq!(with(0x25c, 1), Some(Error::BadHeader), "pref_address");
        assert_eq!(with(0x1f6, 1), Some(Error::KernelCutOff), "syssize");
    }

    #[test]
    fn a_cut_is_seen_wherever_it_is() {
        let file = file(true);
        for end in 0..file.len() - PARAGRAPH + 1 {
            assert!(parse(&file[..end], Width::W64).is_err(), "{end}");
        }
    }
}
