//! The memory map (UEFI 2.10, 7.2.3, `EFI_BOOT_SERVICES.GetMemoryMap`).

use core::ops::Range;

use uefi_raw::table::boot::{MemoryAttribute, MemoryDescriptor, MemoryType};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned, little_endian::U32, little_endian::U64};

use super::Error;
use crate::{EfiInfo, MemKind, PhysMap};

/// Most descriptors that are looked at. Firmware has a few hundred.
pub const MAX_DESCRIPTORS: usize = 4096;
/// Largest descriptor that is believed.
const MAX_STRIDE: u32 = 1024;
const PAGE_SHIFT: u32 = 12;

/// The fields of a descriptor. There may be more behind them, which is why firmware says how large one is.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct Layout {
    kind: U32,
    pad: U32,
    physical: U64,
    virt: U64,
    pages: U64,
    attributes: U64,
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<Layout>() == size_of::<MemoryDescriptor>());
    assert!(offset_of!(Layout, physical) == offset_of!(MemoryDescriptor, phys_start));
    assert!(offset_of!(Layout, virt) == offset_of!(MemoryDescriptor, virt_start));
    assert!(offset_of!(Layout, pages) == offset_of!(MemoryDescriptor, page_count));
    assert!(offset_of!(Layout, attributes) == offset_of!(MemoryDescriptor, att));
};

/// A region of the map that makes sense: some pages, and an end below 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// What it is.
    pub kind: MemoryType,
    /// First byte, physical, page aligned.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// What it can do, and whether runtime services need it.
    pub attributes: MemoryAttribute,
}

impl Descriptor {
    fn new(layout: &Layout) -> Option<Self> {
        let start = layout.physical.get();
        let pages = layout.pages.get();
        let len = pages
            .checked_shl(PAGE_SHIFT)
            .filter(|len| len >> PAGE_SHIFT == pages && *len != 0)?;
        let aligned = start.is_multiple_of(1 << PAGE_SHIFT);
        Some(Self {
            kind: MemoryType(layout.kind.get()),
            start,
            end: start.checked_add(len).filter(|_| aligned)?,
            attributes: MemoryAttribute::from_bits_retain(layout.attributes.get()),
        })
    }

    /// First byte to one past the last.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// Whether runtime services need it, mapped.
    #[must_use]
    pub const fn is_runtime(&self) -> bool {
        self.attributes.contains(MemoryAttribute::RUNTIME)
    }

    /// What it is to a kernel after `ExitBootServices` (UEFI 2.10, table 7.10): the loader's and the boot services' memory is
    /// free then, but for what the kernel knows to be in it.
    ///
    /// RAM that cannot be cached, or that firmware sets apart for a special purpose, is not ordinary RAM.
    #[must_use]
    pub fn mem_kind(&self) -> MemKind {
        let ordinary = self.attributes.contains(MemoryAttribute::WRITE_BACK)
            && !self.attributes.contains(MemoryAttribute::SPECIAL_PURPOSE);
        match self.kind {
            _ if self.is_runtime() => MemKind::Reserved,
            MemoryType::LOADER_CODE
            | MemoryType::LOADER_DATA
            | MemoryType::BOOT_SERVICES_CODE
            | MemoryType::BOOT_SERVICES_DATA
            | MemoryType::CONVENTIONAL
                if ordinary =>
            {
                MemKind::Usable
            }
            MemoryType::ACPI_RECLAIM => MemKind::AcpiReclaim,
            MemoryType::ACPI_NON_VOLATILE => MemKind::AcpiNvs,
            MemoryType::UNUSABLE => MemKind::Unusable,
            MemoryType::PERSISTENT_MEMORY => MemKind::Persistent,
            _ => MemKind::Reserved,
        }
    }
}

/// The map as it lies in memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryMap<'m> {
    bytes: &'m [u8],
    stride: usize,
}

impl<'m> MemoryMap<'m> {
    /// The map the loader named. A last descriptor that is cut off is left out.
    ///
    /// # Errors
    /// [`Error::DescriptorSize`], [`Error::MapSize`], [`Error::NotMapped`].
    pub fn of(info: &EfiInfo, phys: PhysMap<'_, 'm>) -> Result<Self, Error> {
        Self::check(info)?;
        let len = info.memory_map_size as usize;
        let bytes = phys(info.memory_map, len).and_then(|bytes| bytes.get(..len));
        Ok(Self {
            bytes: bytes.ok_or(Error::NotMapped)?,
            stride: info.descriptor_size as usize,
        })
    }

    fn check(info: &EfiInfo) -> Result<(), Error> {
        let stride = info.descriptor_size;
        if stride < size_of::<Layout>() as u32 || stride > MAX_STRIDE || !stride.is_multiple_of(8) {
            return Err(Error::DescriptorSize);
        }
        match info.memory_map_size / stride {
            count @ 1.. if count as usize <= MAX_DESCRIPTORS => Ok(()),
            _ => Err(Error::MapSize),
        }
    }

    /// The descriptors that make sense, in the firmware's order, which need not be that of addresses.
    pub fn iter(&self) -> impl Iterator<Item = Descriptor> + use<'m> {
        self.all().flatten()
    }

    fn all(&self) -> impl Iterator<Item = Option<Descriptor>> + use<'m> {
        let layouts = self.bytes.chunks_exact(self.stride);
        layouts.map(|bytes| {
            let (layout, _) = Layout::ref_from_prefix(bytes).ok()?;
            Descriptor::new(layout)
        })
    }

    /// How many descriptors make no sense: without pages, not aligned, or beyond 2^64.
    #[must_use]
    pub fn bad(&self) -> usize {
        self.all().filter(Option::is_none).count()
    }

    /// Hands the map to a kernel, as start, length and kind. Neighbours of a kind become one region, so that the many small
    /// pieces of boot services are few.
    pub fn regions(&self, each: &mut dyn FnMut(u64, u64, MemKind)) {
        let mut hand_over = |run: Option<(Range<u64>, MemKind)>| {
            if let Some((range, kind)) = run {
                each(range.start, range.end - range.start, kind);
            }
        };
        let mut run: Option<(Range<u64>, MemKind)> = None;
        for next in self.iter() {
            match &mut run {
                Some((range, kind)) if range.end == next.start && *kind == next.mem_kind() => {
                    range.end = next.end;
                }
                _ => hand_over(run.replace((next.range(), next.mem_kind()))),
            }
        }
        hand_over(run);
    }
}
