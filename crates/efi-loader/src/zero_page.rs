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

#[cfg(test)]
mod tests {
    use boot_info::{BootInfo, linux_x86};

    use super::*;
    use crate::bzimage;

    const CMDLINE: u64 = 0x200_1000;
    const EXTRA: u64 = 0x200_2000;
    const EFI: Efi = Efi {
        width: Width::W64,
        system_table: 0x1_0000_1000,
        map: 0x200_4000,
        map_bytes: 48 * 300,
        descriptor_bytes: 48,
        descriptor_version: 1,
    };

    fn known(file: &[u8]) -> Known<'_> {
        Known {
            file,
            load: 0x20_0000,
            cmdline: CMDLINE,
            initrd: Some((0x280_0000, 0x1234)),
            rsdp: Some(0x7f_e014),
            extra: EXTRA,
        }
    }

    /// `count` regions of RAM with holes between them.
    fn map(count: u64) -> impl Iterator<Item = Region> {
        (0..count).map(|at| Region::new(7, at << 25, 0x1000, 0))
    }

    /// What our kernel's reader makes of it.
    fn read(regions: u64, extra: usize) -> BootInfo {
        let file = bzimage::tests::file(true);
        let mut params = BootParams::new_zeroed();
        params.as_mut_bytes().fill(0xaa); // as memory is
        let mut extra = vec![0xaa; extra];
        begin(&mut params, &known(&file));
        finish(&mut params, &mut extra, map(regions), &EFI);
        let phys = |at: u64, len: usize| -> Option<&[u8]> {
            match at {
                CMDLINE => LINE.get(..len),
                EXTRA.. => extra.get((at - EXTRA) as usize..)?.get(..len),
                _ => None,
            }
        };
        let mut info = BootInfo::EMPTY;
        linux_x86::fill(params.as_bytes(), &phys, &mut info).unwrap();
        info
    }

    static LINE: [u8; 4096] = {
        let mut page = [0; 4096];
        let line = b"panic=-1 run=cpus";
        let mut at = 0;
        while at < line.len() {
            page[at] = line[at];
            at += 1;
        }
        page
    };

    #[test]
    fn the_kernel_reads_what_was_meant() {
        let info = read(5, 4096);
        assert_eq!(info.cmdline.as_str(), "panic=-1 run=cpus");
        assert_eq!(info.initrd.range(), Some(0x280_0000..0x280_1234));
        assert_eq!(info.rsdp, Some(0x7f_e014));
        assert_eq!(info.memory.regions().len(), 5);
        let efi = info.efi.unwrap();
        assert!(efi.is_64bit);
        assert_eq!((efi.system_table, efi.memory_map), (0x1_0000_1000, 0x200_4000));
        assert_eq!(
            (efi.memory_map_size, efi.descriptor_size, efi.descriptor_version),
            (48 * 300, 48, 1)
        );
        assert_eq!((info.loader.version, info.loader.id), (0x20f, 0xf));
    }

    #[test]
    fn what_the_page_does_not_hold_is_in_the_list() {
        let regions = |regions, extra| read(regions, extra).memory.count();
        assert_eq!(regions(128, 4096), 128);
        assert_eq!(regions(129, 4096), 129);
        assert_eq!(regions(200, 16 + 20 * 72), 200);
        assert_eq!(regions(200, 16 + 20 * 10 + 19), 138, "no room");
        assert_eq!(regions(200, 3), 128, "no room at all");
    }

    #[test]
    fn a_header_that_is_cut_off_is_taken_as_far_as_it_goes() {
        let file = bzimage::tests::file(true);
        for end in 0..0x300 {
            let mut params = BootParams::new_zeroed();
            begin(&mut params, &known(&file[..end]));
            assert_eq!(params.hdr.cmd_line_ptr.get(), CMDLINE as u32);
        }
    }
}
