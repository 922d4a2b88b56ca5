//! Xen's direct boot ABI (PVH): reading `hvm_start_info`.
//!
//! The fast road: a hypervisor's loader jumps straight to the kernel with the address of this
//! structure in EBX. See Xen's `public/arch-x86/hvm/start_info.h`. The magic is all there is to
//! recognise it by: at least one loader passes another protocol's magic in EAX on this road.

use core::fmt;

use crate::{BootInfo, Initrd, Loader, MemKind, PhysMap, Protocol, phys};

pub mod layout;
#[cfg(test)]
mod tests;

use layout::{MAGIC, MemmapEntry, Module, StartInfo, StartInfoV1};

/// Why a start info was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It does not lie in mapped memory.
    Unmapped,
    /// Its magic is wrong.
    BadMagic,
    /// It has no memory map (version 0, or an empty one). All else has been filled in.
    NoMemoryMap,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unmapped => "start_info is not in mapped memory",
            Self::BadMagic => "start_info has a wrong magic",
            Self::NoMemoryMap => "start_info has no memory map",
        })
    }
}

impl core::error::Error for Error {}

/// Fills `out`, which should be [`BootInfo::EMPTY`], from the start info at physical address `at`.
///
/// # Errors
/// See [`Error`].
pub fn fill(at: u64, phys: PhysMap, out: &mut BootInfo) -> Result<(), Error> {
    let info: StartInfo = phys::read(phys, at).ok_or(Error::Unmapped)?;
    if info.magic.get() != MAGIC {
        return Err(Error::BadMagic);
    }
    out.loader = Loader {
        protocol: Protocol::Pvh,
        version: info.version.get(),
        id: 0,
    };
    out.rsdp = Some(info.rsdp_paddr.get()).filter(|&at| at != 0);
    out.cmdline.clear();
    if info.cmdline_paddr.get() != 0 {
        out.cmdline.read_phys(phys, info.cmdline_paddr.get());
    }
    if info.version.get() >= 1 {
        memory_map(at, phys, out);
    }
    out.initrd = initrd(&info, phys, out);
    if out.memory.regions().is_empty() {
        Err(Error::NoMemoryMap)
    } else {
        Ok(())
    }
}

fn memory_map(at: u64, phys: PhysMap, out: &mut BootInfo) {
    let Some(v1) = phys::read::<StartInfoV1>(phys, at) else {
        return;
    };
    let mut at = v1.memmap_paddr.get();
    // Beyond twice of what can be kept the count is not believed.
    for _ in 0..v1.memmap_entries.get().min(2 * crate::MAX_REGIONS as u32) {
        let Some(entry) = phys::read::<MemmapEntry>(phys, at) else {
            return;
        };
        out.memory.push(
            entry.addr.get(),
            entry.size.get(),
            MemKind::from_e820(entry.kind.get()),
        );
        let Some(next) = at.checked_add(size_of::<MemmapEntry>() as u64) else {
            return;
        };
        at = next;
    }
}

/// The first module is the initial RAM disk; further ones have no meaning.
fn initrd(info: &StartInfo, phys: PhysMap, out: &BootInfo) -> Initrd {
    if info.nr_modules.get() == 0 {
        return Initrd::Absent;
    }
    match phys::read::<Module>(phys, info.modlist_paddr.get()) {
        Some(module) => Initrd::check(module.paddr.get(), module.size.get(), &out.memory),
        None => Initrd::Absent,
    }
}
