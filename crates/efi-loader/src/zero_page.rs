//! `boot_params`, as a UEFI loader fills it in: Linux, `Documentation/arch/x86/zero-page.rst` and `boot.rst`.

use boot_info::linux_x86::layout::{BootParams, E820Entry, SetupDataHead};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use crate::bzimage::{HEADER, Width};
use crate::e820;
use crate::memory::Region;

/// `type_of_loader` of a loader that has no number assigned.
const UNDEFINED: u8 = 0xff;
/// `setup_data`: more of the memory map.
const SETUP_E820_EXT: u32 = 1;

/// What is known while boot services are there. All addresses are physical.
pub struct Known<'a> {
    /// The first of the bzImage, with its setup header.
    pub file: &'a [u8],
    /// Where the payload lies.
    pub load: u64,
    /// Where the command line lies, terminated.
    pub cmdline: u64,
    /// Where the initial RAM disk lies, and its bytes.
    pub initrd: Option<(u64, u64)>,
    /// ACPI's root pointer.
    pub rsdp: Option<u64>,
    /// Where the [`SetupDataHead`] for more of the memory map lies.
    pub extra: u64,
}

/// What is known when they are gone.
#[derive(Clone, Copy)]
pub struct Efi {
    /// The firmware's own width.
    pub width: Width,
    /// The system table.
    pub system_table: u64,
    /// The memory map.
    pub map: u64,
    /// Its bytes.
    pub map_bytes: u32,
    /// Bytes from one descriptor to the next.
    pub descriptor_bytes: u32,
    /// The descriptors' version.
    pub descriptor_version: u32,
}

/// Fills in all but the memory map.
pub fn begin(params: &mut BootParams, known: &Known<'_>) {
    params.zero();
    copy_header(params, known.file);
    let hdr = &mut params.hdr;
    hdr.type_of_loader = UNDEFINED;
    hdr.code32_start.set(low(known.load));
    hdr.cmd_line_ptr.set(low(known.cmdline));
    params.ext_cmd_line_ptr.set(high(known.cmdline));
    let (at, bytes) = known.initrd.unwrap_or_default();
    hdr.ramdisk_image.set(low(at));
    hdr.ramdisk_size.set(low(bytes));
    params.ext_ramdisk_image.set(high(at));
    params.ext_ramdisk_size.set(high(bytes));
    params.acpi_rsdp_addr.set(known.rsdp.unwrap_or_default());
    params.hdr.setup_data.set(known.extra);
}

/// The header ends where its jump goes to (boot protocol, "Details of Header Fields").
fn copy_header(params: &mut BootParams, file: &[u8]) {
    let known = HEADER..HEADER + size_of_val(&params.hdr);
    let end = 0x202 + usize::from(file.get(0x201).copied().unwrap_or_default());
    let end = end.clamp(known.start, known.end).min(file.len());
    if let Some(header) = file.get(known.start..end) {
        params.as_mut_bytes()[known.start..end].copy_from_slice(header);
    }
}

/// Fills in the memory map, and where EFI is to be found. `extra` is where [`Known::extra`] points to.
pub fn finish(params: &mut BootParams, extra: &mut [u8], map: impl Iterator<Item = Region>, efi: &Efi) {
    let more = SetupDataHead::mut_from_prefix(extra).ok();
    let mut none = [];
    let (head, more) = match more {
        Some((head, rest)) => {
            let count = rest.len() / size_of::<E820Entry>();
            let entries = <[E820Entry]>::mut_from_prefix_with_elems(rest, count);
            (Some(head), entries.map_or(&mut none[..], |(entries, _)| entries))
        }
        None => (None, &mut none[..]),
    };
    let [count, beyond] = e820::fill(map, [&mut params.e820_table, more]);
    params.e820_entries = count as u8; // 128 at the most
    match head {
        Some(head) if beyond != 0 => {
            head.next.set(0);
            head.kind.set(SETUP_E820_EXT);
            head.len.set((beyond * size_of::<E820Entry>()) as u32);
        }
        _ => params.hdr.setup_data.set(0),
    }
    let info = &mut params.efi_info;
    info.efi_loader_signature = *match efi.width {
        Width::W64 => b"EL64",
        Width::W32 => b"EL32",
    };
    info.efi_systab.set(low(efi.system_table));
    info.efi_systab_hi.set(high(efi.system_table));
    info.efi_memmap.set(low(efi.map));
    info.efi_memmap_hi.set(high(efi.map));
    info.efi_memmap_size.set(efi.map_bytes);
    info.efi_memdesc_size.set(efi.descriptor_bytes);
    info.efi_memdesc_version.set(efi.descriptor_version);
}

const fn low(value: u64) -> u32 {
    value as u32
}

const fn high(value: u64) -> u32 {
    (value >> 32) as u32
}
