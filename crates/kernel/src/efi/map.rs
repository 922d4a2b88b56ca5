//! Where the regions of runtime services go in the kernel's address space.

use alloc::vec::Vec;
use core::ops::Range;

use boot_info::efi::{Descriptor, MemoryAttribute, MemoryType};
use paging::{Cache, Prot};
use uefi_raw::table::boot::MemoryDescriptor;

use super::{Found, phys};
use crate::arch::Arch;
use crate::facts::BOOT;
use crate::mm::{self, Piece};

/// The regions, mapped.
pub(super) struct Mapped {
    /// As `SetVirtualAddressMap` wants them.
    pub(super) list: Vec<MemoryDescriptor>,
}

impl Mapped {
    /// Where a physical address is mapped.
    pub(super) fn address(&self, pa: u64) -> Option<usize> {
        let holds = |d: &&MemoryDescriptor| (d.phys_start..d.phys_start + d.page_count * 4096).contains(&pa);
        let region = self.list.iter().find(holds)?;
        usize::try_from(region.virt_start + (pa - region.phys_start)).ok()
    }
}

/// Maps everything that runtime services need: for good at addresses of the kernel's, and to itself where the one call is
/// made.
///
/// # Errors
/// A sentence. Nothing may be called then.
pub(super) fn all<A: Arch>(found: &Found) -> Result<Mapped, &'static str> {
    let boot = BOOT.lock();
    let regions = boot.efi_runtime.get().map_err(|error| match error {
        boot_info::efi::Error::Overlap => "regions of the memory map overlap",
        _ => "the memory map cannot be used",
    })?;
    let tables = found.system.configuration(&phys::<A>);
    let attributes = tables.ok().and_then(|t| t.memory_attributes(&phys::<A>));
    let parts: Vec<Descriptor> = attributes.iter().flat_map(|table| table.iter()).collect();
    let mut list = Vec::with_capacity(regions.len());
    // What lies side by side stays so: a driver's code reaches its data by their distance.
    for run in regions.chunk_by(|one, next| one.end == next.start) {
        let pieces = pieces_of(run, &parts)?;
        let base = mm::map_pieces::<A>(&pieces).map_err(|_| "no memory to map them")?;
        list.extend(
            run.iter()
                .map(|d| moved(d, base as u64 + (d.start - run[0].start))),
        );
    }
    // Not the registers of devices, which nobody touches on the way.
    let memory = regions
        .iter()
        .filter(|d| d.attributes.contains(MemoryAttribute::WRITE_BACK));
    let memory: Vec<Range<u64>> = memory.map(Descriptor::range).collect();
    A::map_identity(&memory)?;
    Ok(Mapped { list })
}

fn moved(d: &Descriptor, to: u64) -> MemoryDescriptor {
    MemoryDescriptor {
        ty: d.kind,
        padding: 0,
        phys_start: d.start,
        virt_start: to,
        page_count: (d.end - d.start) / 4096,
        att: d.attributes,
    }
}

fn pieces_of(run: &[Descriptor], parts: &[Descriptor]) -> Result<Vec<Piece>, &'static str> {
    let mut pieces = Vec::new();
    for region in run {
        split(region, parts, &mut pieces)?;
    }
    Ok(pieces)
}

/// The parts of a region as the memory attributes table has them. Data that it does not mention is data; code that it does
/// not is code and data in one, and to execute that the kernel would have to map it writable and executable.
fn split(region: &Descriptor, parts: &[Descriptor], pieces: &mut Vec<Piece>) -> Result<(), &'static str> {
    let cache = match region.attributes.contains(MemoryAttribute::WRITE_BACK) {
        true => Cache::WriteBack,
        false => Cache::Device,
    };
    let mut at = region.start;
    while at < region.end {
        let part = parts.iter().find(|part| part.range().contains(&at));
        let (end, prot) = match part {
            Some(part) => (part.end.min(region.end), access(part.attributes)?),
            None if region.kind == MemoryType::RUNTIME_SERVICES_CODE => {
                return Err("firmware does not say which part of its code is data");
            }
            None => (next_start(parts, at).min(region.end), Prot::RW),
        };
        pieces.push(Piece {
            range: at..end,
            prot,
            cache,
        });
        at = end;
    }
    Ok(())
}

fn next_start(parts: &[Descriptor], at: u64) -> u64 {
    let later = parts.iter().map(|part| part.start).filter(|start| *start > at);
    later.min().unwrap_or(u64::MAX)
}

fn access(attributes: MemoryAttribute) -> Result<Prot, &'static str> {
    let read_only = attributes.contains(MemoryAttribute::READ_ONLY);
    let no_exec = attributes.contains(MemoryAttribute::EXECUTE_PROTECT);
    match (read_only, no_exec) {
        (true, true) => Ok(Prot::RO),
        (true, false) => Ok(Prot::RX),
        (false, true) => Ok(Prot::RW),
        (false, false) => Err("firmware wants memory that is both writable and executable"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WB: MemoryAttribute = MemoryAttribute::WRITE_BACK;

    fn descriptor(kind: MemoryType, range: Range<u64>, attributes: MemoryAttribute) -> Descriptor {
        Descriptor {
            kind,
            start: range.start,
            end: range.end,
            attributes,
        }
    }

    fn split_up(region: &Descriptor, parts: &[Descriptor]) -> Result<Vec<(Range<u64>, Prot)>, &'static str> {
        let mut pieces = Vec::new();
        split(region, parts, &mut pieces)?;
        Ok(pieces
            .into_iter()
            .map(|piece| (piece.range, piece.prot))
            .collect())
    }

    #[test]
    fn a_driver_is_code_between_data() {
        let kind = MemoryType::RUNTIME_SERVICES_CODE;
        let region = descriptor(kind, 0x1000..0x6000, WB);
        let parts = [
            descriptor(kind, 0x4000..0x6000, MemoryAttribute::EXECUTE_PROTECT),
            descriptor(kind, 0x1000..0x2000, MemoryAttribute::EXECUTE_PROTECT),
            descriptor(kind, 0x2000..0x4000, MemoryAttribute::READ_ONLY),
        ];
        let expected = [
            (0x1000..0x2000, Prot::RW),
            (0x2000..0x4000, Prot::RX),
            (0x4000..0x6000, Prot::RW),
        ];
        assert_eq!(split_up(&region, &parts).as_deref(), Ok(&expected[..]));
        assert!(split_up(&region, &parts[..2]).is_err());
        let both = [descriptor(kind, 0x1000..0x6000, WB)];
        assert!(split_up(&region, &both).is_err());
    }

    #[test]
    fn data_needs_no_table() {
        let region = descriptor(MemoryType::RUNTIME_SERVICES_DATA, 0x1000..0x6000, WB);
        assert_eq!(split_up(&region, &[]), Ok(vec![(0x1000..0x6000, Prot::RW)]));
        let attributes = MemoryAttribute::EXECUTE_PROTECT | MemoryAttribute::READ_ONLY;
        let part = [descriptor(region.kind, 0x3000..0x8000, attributes)];
        let expected = vec![(0x1000..0x3000, Prot::RW), (0x3000..0x6000, Prot::RO)];
        assert_eq!(split_up(&region, &part), Ok(expected));
    }
}
