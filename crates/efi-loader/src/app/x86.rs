//! Both x86 kernels: `boot_params`, then the entry of the Linux boot protocol that has the firmware's width.

use core::arch::asm;
use core::convert::Infallible;

use boot_info::linux_x86::layout::{BootParams, E820Entry, SetupDataHead};
use efi_loader::bzimage::{self, BzImage, Width};
use efi_loader::parts::Parts;
use efi_loader::zero_page::{self, Efi, Known};
use efi_loader::{Error, PAGE, Room, memory};
use uefi::table::cfg::ConfigTableEntry;
use zerocopy::FromBytes;

use crate::firmware::{self, Map, address};

#[cfg(target_arch = "x86_64")]
const WIDTH: Width = Width::W64;
#[cfg(target_arch = "x86")]
const WIDTH: Width = Width::W32;

/// What lies behind the kernel in the same run of pages, in this order.
struct HandOver {
    params: &'static mut BootParams,
    cmdline: &'static mut [u8],
    map: &'static mut [u8],
    /// A node of `setup_data` for what of the map does not fit into `params`.
    extra: &'static mut [u8],
}

/// Puts all into place, and enters the kernel.
///
/// # Errors
/// Whatever keeps it from that, while firmware can still be told.
pub fn boot(parts: &Parts<'_>, options: &[u8]) -> Result<Infallible, Error> {
    let kernel = bzimage::parse(parts.kernel, WIDTH)?;
    let cmdline = crate::command_line(parts, options, kernel.header.cmdline_size.get() as usize)?;
    let (load, over) = lay_out(&kernel, &cmdline, &firmware::map()?)?;
    let initrd = parts
        .initrd
        .map(|bytes| firmware::copy_below(bytes, kernel.room.limit))
        .transpose()?;
    let known = Known {
        file: parts.kernel,
        load,
        cmdline: address(over.cmdline.as_ptr()),
        initrd: initrd.map(|bytes| (address(bytes.as_ptr()), bytes.len() as u64)),
        rsdp: rsdp(),
        extra: address(over.extra.as_ptr()),
    };
    zero_page::begin(over.params, &known);
    let system_table = firmware::system_table()?;
    // SAFETY: what follows only writes to memory that is there already.
    let last = unsafe { firmware::exit(over.map) };
    let efi = Efi {
        width: WIDTH,
        system_table,
        map: address(over.map.as_ptr()),
        map_bytes: last.bytes as u32,
        descriptor_bytes: last.descriptor_bytes as u32,
        descriptor_version: last.descriptor_version,
    };
    let regions = memory::regions(&over.map[..last.bytes], last.descriptor_bytes);
    zero_page::finish(over.params, over.extra, regions, &efi);
    // SAFETY: the kernel lies there, as its header wants it, and `boot_params` are complete.
    unsafe { enter((load + kernel.entry) as usize, over.params) }
}

fn lay_out(kernel: &BzImage<'_>, cmdline: &str, map: &Map) -> Result<(u64, HandOver), Error> {
    let image = kernel.room.bytes.next_multiple_of(PAGE);
    let page = PAGE as usize;
    let line = (cmdline.len() + 1).next_multiple_of(page);
    let most = map.room.next_multiple_of(page);
    let extra = size_of::<SetupDataHead>() + (map.regions.len() + firmware::SPARE) * size_of::<E820Entry>();
    let memory = firmware::lowest(Room {
        bytes: image + (page + line + most + extra) as u64,
        ..kernel.room
    })?;
    let load = address(memory.as_ptr());
    memory[..kernel.payload.len()].copy_from_slice(kernel.payload);
    let (_, rest) = memory.split_at_mut(image as usize);
    let (params, rest) = BootParams::mut_from_prefix(rest).map_err(|_| Error::NoRoom)?;
    let (line, rest) = rest.split_at_mut(line);
    line[..cmdline.len()].copy_from_slice(cmdline.as_bytes());
    let (map, extra) = rest.split_at_mut(most);
    Ok((
        load,
        HandOver {
            params,
            cmdline: line,
            map,
            extra,
        },
    ))
}

fn rsdp() -> Option<u64> {
    let table = firmware::table(ConfigTableEntry::ACPI2_GUID);
    let table = table.or_else(|| firmware::table(ConfigTableEntry::ACPI_GUID));
    table.map(|table| address(table.as_ptr()))
}

/// The descriptors that the Linux boot protocol names: code at 0x10, data at 0x18, both flat.
static GDT: [u64; 4] = [
    0,
    0,
    if matches!(WIDTH, Width::W64) {
        0x00af_9b00_0000_ffff
    } else {
        0x00cf_9b00_0000_ffff
    },
    0x00cf_9300_0000_ffff,
];

/// What LGDT takes.
#[repr(C, packed)]
struct Gdtr {
    limit: u16,
    base: *const [u64; 4],
}

/// Linux boot protocol, 64-bit: paging stays on, and what firmware maps is mapped to itself.
///
/// # Safety
/// `entry` is the kernel's, `params` are for it, and boot services are gone.
#[cfg(target_arch = "x86_64")]
unsafe fn enter(entry: usize, params: *const BootParams) -> ! {
    let gdtr = Gdtr {
        limit: size_of_val(&GDT) as u16 - 1,
        base: &raw const GDT,
    };
    // SAFETY: the new segments span what the old ones did; nothing returns from here.
    unsafe {
        asm!(
            "cli",
            "cld",
            "lgdt (%rcx)",
            "pushq $0x10",
            "leaq 2f(%rip), %rax",
            "pushq %rax",
            "lretq",
            "2:",
            "movl $0x18, %eax",
            "movl %eax, %ds",
            "movl %eax, %es",
            "movl %eax, %fs",
            "movl %eax, %gs",
            "movl %eax, %ss",
            "jmpq *%rdx",
            in("rcx") &raw const gdtr,
            in("rdx") entry,
            in("rsi") params,
            options(noreturn, att_syntax),
        )
    }
}

/// Linux boot protocol, 32-bit: paging off. Firmware may have had it on; everything is mapped to itself then.
///
/// # Safety
/// `entry` is the kernel's, `params` are for it, and boot services are gone.
#[cfg(target_arch = "x86")]
unsafe fn enter(entry: usize, params: *const BootParams) -> ! {
    let gdtr = Gdtr {
        limit: size_of_val(&GDT) as u16 - 1,
        base: &raw const GDT,
    };
    // SAFETY: the new segments span what the old ones did, and addresses mean the same without paging; nothing returns
    // from here.
    unsafe {
        asm!(
            "cli",
            "cld",
            "lgdt (%ecx)",
            "pushl $0x10",
            "pushl $2f",
            "lretl",
            "2:",
            "movl $0x18, %ecx",
            "movl %ecx, %ds",
            "movl %ecx, %es",
            "movl %ecx, %fs",
            "movl %ecx, %gs",
            "movl %ecx, %ss",
            "movl %cr0, %ecx",
            "andl $0x7fffffff, %ecx",
            "movl %ecx, %cr0",
            "xorl %ecx, %ecx",
            "movl %ecx, %cr4",
            "movl %edx, %esi",
            "xorl %ebx, %ebx",
            "xorl %ebp, %ebp",
            "xorl %edi, %edi",
            "jmpl *%eax",
            in("ecx") &raw const gdtr,
            in("eax") entry,
            in("edx") params,
            options(noreturn, att_syntax),
        )
    }
}
