//! The one structure all boot protocols end in.

use crate::{CommandLine, Initrd, MemMap, Seed, efi::RuntimeRegions, present::Present};

/// Which boot protocol brought us here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Nothing was read yet.
    #[default]
    None,
    /// Linux x86 boot protocol: `boot_params`, the "zero page".
    LinuxX86,
    /// Xen's direct boot: `hvm_start_info`.
    Pvh,
    /// A flattened device tree.
    DeviceTree,
}

/// Who loaded us, as far as the protocol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Loader {
    /// The protocol.
    pub protocol: Protocol,
    /// Its version as the loader states it: 0x020f for 2.15 of the Linux protocol, 0 or 1 for PVH,
    /// 17 for a device tree.
    pub version: u32,
    /// Loader number of the Linux protocol with the extended part folded in (`type_of_loader`,
    /// `ext_loader_type`), else 0.
    pub id: u16,
}

impl Loader {
    /// The loader's name, from the table of assigned ids in the Linux boot protocol.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.protocol {
            Protocol::None => "none",
            Protocol::Pvh => "pvh",
            Protocol::DeviceTree => "device tree",
            Protocol::LinuxX86 => linux_loader_name(self.id),
        }
    }
}

const fn linux_loader_name(id: u16) -> &'static str {
    match id {
        0x0 => "LILO",
        0x1 => "Loadlin",
        0x3 => "Syslinux",
        0x4 => "iPXE",
        0x5 => "ELILO",
        0x7 => "GRUB",
        0x8 => "U-Boot",
        0x9 => "Xen",
        0xa => "Gujin",
        0xb => "QEMU",
        0xd => "kexec",
        0xf => "a loader without a number",
        0x12 => "OVMF",
        _ => "unknown loader",
    }
}

/// What the loader says about EFI, as it came: [`crate::efi`] reads what it points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EfiInfo {
    /// Whether the firmware is 64-bit (`EL64`) or 32-bit (`EL32`).
    pub is_64bit: bool,
    /// Physical address of the system table.
    pub system_table: u64,
    /// Physical address of the memory map.
    pub memory_map: u64,
    /// Its size in bytes.
    pub memory_map_size: u32,
    /// Size of one descriptor in bytes.
    pub descriptor_size: u32,
    /// Version of the descriptor format.
    pub descriptor_version: u32,
    pub(crate) present: Present,
}

/// The kind of UART behind the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleKind {
    /// Arm PrimeCell UART.
    Pl011,
    /// 16550 and its relatives, memory mapped.
    Ns16550,
    /// Something else; its registers must not be touched on a guess.
    Unknown,
}

/// The UART the firmware calls its standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Console {
    /// What it is.
    pub kind: ConsoleKind,
    /// Physical address of its registers.
    pub base: u64,
    /// Their length in bytes.
    pub len: u64,
    /// Log2 of the distance between registers (16550 only).
    pub reg_shift: u8,
    /// Baud rate from `stdout-path`'s options, if it names one.
    pub baud: Option<u32>,
    pub(crate) present: Present,
}

/// Everything the loader said, in one shape. About 10 KiB: keep it in a static.
///
/// ```
/// static BOOT: std::sync::Mutex<boot_info::BootInfo> = std::sync::Mutex::new(boot_info::BootInfo::EMPTY);
/// let boot = BOOT.lock().unwrap();
/// assert_eq!(boot.cmdline.as_str(), "");
/// assert_eq!(boot.initrd.range(), None);
/// ```
#[derive(Clone, Debug)]
pub struct BootInfo {
    /// Who loaded us and how.
    pub loader: Loader,
    /// The command line.
    pub cmdline: CommandLine,
    /// The firmware's memory map.
    pub memory: MemMap,
    /// The initial RAM disk, or why there is none.
    pub initrd: Initrd,
    /// Physical address of the ACPI root pointer.
    pub rsdp: Option<u64>,
    /// Physical address of the device tree blob.
    pub fdt: Option<u64>,
    /// EFI hand-over.
    pub efi: Option<EfiInfo>,
    /// The regions of EFI's memory map that runtime services need.
    pub efi_runtime: RuntimeRegions,
    /// Randomness from the loader.
    pub seed: Seed,
    /// Where the firmware's console is, if it says.
    pub console: Option<Console>,
}

impl BootInfo {
    /// Nothing known. All zero bytes, so a static of it costs no image space.
    pub const EMPTY: Self = Self {
        loader: Loader {
            protocol: Protocol::None,
            version: 0,
            id: 0,
        },
        cmdline: CommandLine::EMPTY,
        memory: MemMap::EMPTY,
        initrd: Initrd::Absent,
        rsdp: None,
        fdt: None,
        efi: None,
        efi_runtime: RuntimeRegions::EMPTY,
        seed: Seed::EMPTY,
        console: None,
    };
}
