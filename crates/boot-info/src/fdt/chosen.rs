//! `/chosen`: what the loader, not the hardware, has to say.

use super::{
    cells::{number, string},
    node::{Node, properties},
};
use crate::{BootInfo, EfiInfo, Initrd, InitrdRefusal, MemMap, present::Present};

/// What is needed after the walk.
#[derive(Default)]
pub(super) struct Chosen<'a> {
    initrd_start: Option<u64>,
    initrd_end: Option<u64>,
    efi: Efi,
    /// `stdout-path`: a path or an alias, then perhaps `:` and options.
    pub stdout: Option<&'a str>,
}

/// The five properties by which Linux's own EFI stub hands firmware on.
#[derive(Default)]
struct Efi {
    system_table: Option<u64>,
    map: Option<u64>,
    map_size: Option<u64>,
    descriptor_size: Option<u64>,
    descriptor_version: Option<u64>,
}

impl Efi {
    /// All of them, or it was no EFI.
    fn info(&self) -> Option<EfiInfo> {
        let narrow = |value: Option<u64>| u32::try_from(value?).ok();
        Some(EfiInfo {
            // The firmware of a 64-bit machine; there is no other on aarch64.
            is_64bit: true,
            system_table: self.system_table?,
            memory_map: self.map?,
            memory_map_size: narrow(self.map_size)?,
            descriptor_size: narrow(self.descriptor_size)?,
            descriptor_version: narrow(self.descriptor_version)?,
            present: Present::Yes,
        })
    }
}

pub(super) fn read<'a>(node: &Node<'a>, boot: &mut BootInfo) -> Chosen<'a> {
    let mut chosen = Chosen::default();
    boot.cmdline.clear();
    for (name, value) in properties(node.raw) {
        match name {
            "bootargs" => boot.cmdline.set(value),
            // One or two cells, as the loader likes.
            "linux,initrd-start" => chosen.initrd_start = number(value),
            "linux,initrd-end" => chosen.initrd_end = number(value),
            "linux,uefi-system-table" => chosen.efi.system_table = number(value),
            "linux,uefi-mmap-start" => chosen.efi.map = number(value),
            "linux,uefi-mmap-size" => chosen.efi.map_size = number(value),
            "linux,uefi-mmap-desc-size" => chosen.efi.descriptor_size = number(value),
            "linux,uefi-mmap-desc-ver" => chosen.efi.descriptor_version = number(value),
            "stdout-path" | "linux,stdout-path" => chosen.stdout = string(value),
            "rng-seed" | "kaslr-seed" => boot.seed.feed(value),
            _ => {}
        }
    }
    chosen
}

impl Chosen<'_> {
    pub(super) fn efi(&self) -> Option<EfiInfo> {
        self.efi.info()
    }

    pub(super) fn initrd(&self, memory: &MemMap) -> Initrd {
        let (start, end) = match (self.initrd_start, self.initrd_end) {
            (None, None) => return Initrd::Absent,
            (Some(start), None) => {
                return Initrd::Refused {
                    start,
                    len: 0,
                    why: InitrdRefusal::NoSize,
                };
            }
            (None, Some(end)) => {
                return Initrd::Refused {
                    start: 0,
                    len: end,
                    why: InitrdRefusal::NoAddress,
                };
            }
            (Some(start), Some(end)) => (start, end),
        };
        match end.checked_sub(start) {
            Some(len) => Initrd::check(start, len, memory),
            None => Initrd::Refused {
                start,
                len: 0,
                why: InitrdRefusal::Wraps,
            },
        }
    }
}
