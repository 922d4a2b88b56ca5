//! Linux x86 boot protocol: reading `boot_params`, the "zero page".
//!
//! A loader fills it in, or our own real-mode setup code does; either way it is the one source of
//! truth of this road. See Linux's `Documentation/arch/x86/boot.rst`, protocol 2.15.

use core::cell::Cell;
use core::fmt;

use zerocopy::FromBytes;

use crate::{
    BootInfo, EfiInfo, Initrd, InitrdRefusal, Loader, MemKind, MemRegion, PhysMap, Protocol, efi,
    present::Present,
};

pub mod layout;
mod setup_data;
#[cfg(test)]
mod tests;

use layout::{BootParams, SetupHeader};

/// Why a zero page was refused. A zero page that is merely incomplete is not: what is missing is
/// then missing in the [`BootInfo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Fewer than 4096 bytes.
    TooShort,
    /// `hdr.header` is not `HdrS`.
    BadMagic,
    /// The memory map is empty: nothing could be done with such a machine.
    NoMemoryMap,
    /// Part of the memory map cannot be read: what it claims is not known.
    BadMemoryMap,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "boot_params shorter than a page",
            Self::BadMagic => "boot_params has no HdrS magic",
            Self::NoMemoryMap => "boot_params has an empty memory map",
            Self::BadMemoryMap => "boot_params has a memory map that cannot be read to its end",
        })
    }
}

impl core::error::Error for Error {}

/// Size of the zero page in bytes.
pub const SIZE: usize = size_of::<BootParams>();

/// Fills `out`, which should be [`BootInfo::EMPTY`], from a zero page; the command line and the `setup_data` list are read through
/// `phys`.
///
/// # Errors
/// See [`Error`]; with [`Error::NoMemoryMap`] everything else has been filled in.
pub fn fill(zero_page: &[u8], phys: PhysMap, out: &mut BootInfo) -> Result<(), Error> {
    let params = params(zero_page)?;
    let hdr = &params.hdr;
    out.loader = loader(hdr);
    out.rsdp = nonzero(params.acpi_rsdp_addr.get());
    out.efi = efi_info(&params.efi_info);
    command_line(params, phys, out);
    setup_data::walk(
        hdr.setup_data.get(),
        phys,
        &mut |kind, at, payload| match (kind, payload) {
            (setup_data::DTB, _) => out.fdt = Some(at),
            (setup_data::RNG_SEED, Some(payload)) => out.seed.feed(payload),
            _ => {}
        },
    );
    regions(zero_page, phys, &mut |r| out.memory.push(r.start, r.len, r.kind))?;
    if let Some(info) = &out.efi {
        out.efi_runtime = efi::runtime_regions(info, phys);
        out.rsdp = out.rsdp.or_else(|| efi::rsdp(info, phys));
    }
    out.initrd = initrd(params, out);
    if out.memory.regions().is_empty() {
        Err(Error::NoMemoryMap)
    } else {
        Ok(())
    }
}

/// The zero page, if it is one.
fn params(zero_page: &[u8]) -> Result<&BootParams, Error> {
    let (params, _) = BootParams::ref_from_prefix(zero_page).map_err(|_| Error::TooShort)?;
    match params.hdr.header == *b"HdrS" {
        true => Ok(params),
        false => Err(Error::BadMagic),
    }
}

/// Hands each region of the memory map to `each`: of the table, of its extension, and what an EFI behind it claims.
///
/// # Errors
/// [`Error::TooShort`], [`Error::BadMagic`], [`Error::BadMemoryMap`]; with the last some regions may have been handed over.
pub fn regions(zero_page: &[u8], phys: PhysMap, each: &mut dyn FnMut(MemRegion)) -> Result<(), Error> {
    let params = params(zero_page)?;
    let any = Cell::new(false);
    let mut each = |start, len, kind| {
        if let Some(region) = MemRegion::tamed(start, len, kind) {
            any.set(true);
            each(region);
        }
    };
    let mut entry =
        |e: &layout::E820Entry| each(e.addr.get(), e.size.get(), MemKind::from_e820(e.kind.get()));
    let table = params.e820_table.iter().take(usize::from(params.e820_entries));
    table.for_each(&mut entry);
    setup_data::extension(params.hdr.setup_data.get(), phys, &mut entry)?;
    if !any.get() {
        memory_without_e820(params, &mut each);
    }
    if let Some(info) = efi_info(&params.efi_info) {
        efi::claims(&info, phys, &mut each);
    }
    Ok(())
}

/// A BIOS of before E820 only says how many KiB there are from 1 MiB on: by `int 15h, e801`, or by `88`, which ends at
/// 64 MiB. Of the first MiB, what every PC has and no BIOS extends its data area into.
fn memory_without_e820(params: &BootParams, each: &mut dyn FnMut(u64, u64, MemKind)) {
    const LOW: u64 = 0x9_f000;
    let above = params.alt_mem_k.get().max(u32::from(params.ext_mem_k.get()));
    if above != 0 {
        each(0, LOW, MemKind::Usable);
        each(1 << 20, u64::from(above) << 10, MemKind::Usable);
    }
}

/// `type_of_loader` is `0xTV`; T = 0xE means the real type is `ext_loader_type + 0x10`.
fn loader(hdr: &SetupHeader) -> Loader {
    let short = u16::from(hdr.type_of_loader >> 4);
    let id = if short == 0xe {
        u16::from(hdr.ext_loader_type) + 0x10
    } else {
        short
    };
    Loader {
        protocol: Protocol::LinuxX86,
        version: u32::from(hdr.version.get()),
        id,
    }
}

fn command_line(params: &BootParams, phys: PhysMap, out: &mut BootInfo) {
    out.cmdline.clear();
    let at = wide(params.hdr.cmd_line_ptr.get(), params.ext_cmd_line_ptr.get());
    if at != 0 {
        out.cmdline.read_phys(phys, at);
    }
}

/// Linux reads the fields only if a loader signed the header, as all zero and all stale look alike.
fn initrd(params: &BootParams, out: &BootInfo) -> Initrd {
    let start = wide(params.hdr.ramdisk_image.get(), params.ext_ramdisk_image.get());
    let len = wide(params.hdr.ramdisk_size.get(), params.ext_ramdisk_size.get());
    if (start, len) != (0, 0) && params.hdr.type_of_loader == 0 {
        return Initrd::Refused {
            start,
            len,
            why: InitrdRefusal::NoLoader,
        };
    }
    Initrd::check(start, len, &out.memory)
}

fn efi_info(info: &layout::EfiInfo) -> Option<EfiInfo> {
    let is_64bit = match &info.efi_loader_signature {
        b"EL64" => true,
        b"EL32" => false,
        _ => return None,
    };
    Some(EfiInfo {
        is_64bit,
        system_table: wide(info.efi_systab.get(), info.efi_systab_hi.get()),
        memory_map: wide(info.efi_memmap.get(), info.efi_memmap_hi.get()),
        memory_map_size: info.efi_memmap_size.get(),
        descriptor_size: info.efi_memdesc_size.get(),
        descriptor_version: info.efi_memdesc_version.get(),
        present: Present::Yes,
    })
}

fn wide(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn nonzero(value: u64) -> Option<u64> {
    (value != 0).then_some(value)
}

/// Reads the zero page at a physical address, then as [`fill`].
///
/// # Errors
/// [`Error::TooShort`] when it is not mapped, else as [`fill`].
pub fn fill_from_phys(at: u64, phys: PhysMap, out: &mut BootInfo) -> Result<(), Error> {
    fill(phys(at, SIZE).ok_or(Error::TooShort)?, phys, out)
}
