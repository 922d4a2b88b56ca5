//! Xen's direct boot ABI (PVH): reading `hvm_start_info`.
//!
//! The fast road: a hypervisor's loader jumps straight to the kernel with the address of this
//! structure in EBX. See Xen's `public/arch-x86/hvm/start_info.h`. The magic is all there is to
//! recognise it by: at least one loader passes another protocol's magic in EAX on this road.

use core::fmt;

use crate::{BootInfo, Initrd, Loader, MemKind, MemRegion, PhysMap, Protocol, phys};

pub mod layout;
#[cfg(test)]
mod tests;

use layout::{MAGIC, MemmapEntry, Module, StartInfo, StartInfoV1};

/// Entries of a memory map that are believed: some hundred times what firmware has.
const MAX_ENTRIES: u32 = 16 * 1024;

/// Why a start info was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It does not lie in mapped memory.
    Unmapped,
    /// Its magic is wrong.
    BadMagic,
    /// It has no memory map (version 0, or an empty one). All else has been filled in.
    NoMemoryMap,
    /// Part of its memory map cannot be read, or it has absurdly many entries: what it claims is not known.
    BadMemoryMap,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unmapped => "start_info is not in mapped memory",
            Self::BadMagic => "start_info has a wrong magic",
            Self::NoMemoryMap => "start_info has no memory map",
            Self::BadMemoryMap => "start_info's memory map cannot be read to its end",
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
    regions(at, phys, &mut |r| out.memory.push(r.start, r.len, r.kind))?;
    out.initrd = initrd(&info, phys, out);
    if out.memory.regions().is_empty() {
        Err(Error::NoMemoryMap)
    } else {
        Ok(())
    }
}

/// Hands each region of the memory map of the start info at `at` to `each`, in the loader's order. A start info of version 0
/// has none.
///
/// # Errors
/// [`Error::Unmapped`], [`Error::BadMemoryMap`]; some regions may have been handed over.
pub fn regions(at: u64, phys: PhysMap, each: &mut dyn FnMut(MemRegion)) -> Result<(), Error> {
    let info: StartInfo = phys::read(phys, at).ok_or(Error::Unmapped)?;
    if info.version.get() == 0 {
        return Ok(());
    }
    let v1: StartInfoV1 = phys::read(phys, at).ok_or(Error::Unmapped)?;
    let count = v1.memmap_entries.get();
    if count > MAX_ENTRIES {
        return Err(Error::BadMemoryMap);
    }
    for n in 0..u64::from(count) {
        let at = v1
            .memmap_paddr
            .get()
            .checked_add(n * size_of::<MemmapEntry>() as u64);
        let entry = at.and_then(|at| phys::read::<MemmapEntry>(phys, at));
        let entry = entry.ok_or(Error::BadMemoryMap)?;
        let kind = MemKind::from_e820(entry.kind.get());
        if let Some(region) = MemRegion::tamed(entry.addr.get(), entry.size.get(), kind) {
            each(region);
        }
    }
    Ok(())
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
