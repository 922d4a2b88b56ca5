//! What a kernel keeps of the memory map: the regions that runtime services need.

use arrayvec::ArrayVec;

use super::{ConfigurationTables, Descriptor, Error, MemoryMap, SystemTable, guids};
use crate::{EfiInfo, MemKind, PhysMap, present::Present};

/// Regions kept. Firmware has some ten.
pub const MAX_RUNTIME_REGIONS: usize = 64;

/// The regions that runtime services need, or why they are not known.
#[derive(Clone, Debug)]
pub struct RuntimeRegions {
    regions: ArrayVec<Descriptor, MAX_RUNTIME_REGIONS>,
    trouble: Option<(Error, Present)>,
}

impl RuntimeRegions {
    /// None; all zero bytes.
    pub const EMPTY: Self = Self {
        regions: ArrayVec::new_const(),
        trouble: None,
    };

    /// By address.
    ///
    /// # Errors
    /// The map cannot be read, or there are too many.
    pub fn get(&self) -> Result<&[Descriptor], Error> {
        match self.trouble {
            Some((error, _)) => Err(error),
            None => Ok(&self.regions),
        }
    }

    const fn unknown(why: Error) -> Self {
        let regions = ArrayVec::new_const();
        let trouble = Some((why, Present::Yes));
        Self { regions, trouble }
    }

    fn of(map: &MemoryMap<'_>) -> Self {
        let mut out = Self::EMPTY;
        for region in map.iter().filter(Descriptor::is_runtime) {
            if out.regions.try_push(region).is_err() {
                return Self::unknown(Error::TooManyRegions);
            }
        }
        out.regions.sort_unstable_by_key(|region| region.start);
        match out.regions.windows(2).any(|pair| pair[0].end > pair[1].start) {
            true => Self::unknown(Error::Overlap),
            false => out,
        }
    }
}

/// Whoever learns of a region: start, length, kind.
type Each<'f> = &'f mut dyn FnMut(u64, u64, MemKind);

/// The tables that firmware leaves in memory which is free otherwise, as the memory attributes table by its specification.
fn kept_tables(info: &EfiInfo, phys: PhysMap, each: Each) {
    let Some(tables) = tables(info, phys) else { return };
    let attributes = tables.memory_attributes(phys).map(|table| table.range());
    let properties = tables
        .find(guids::RT_PROPERTIES)
        .map(|at| at..at.saturating_add(8));
    for kept in [attributes, properties].into_iter().flatten() {
        each(
            kept.start,
            kept.end.saturating_sub(kept.start),
            MemKind::ReservedRam,
        );
    }
}

fn tables<'m>(info: &EfiInfo, phys: PhysMap<'_, 'm>) -> Option<ConfigurationTables<'m>> {
    SystemTable::of(info, phys).ok()?.configuration(phys).ok()
}

/// The address of ACPI's root pointer, if a table tells.
pub(crate) fn rsdp(info: &EfiInfo, phys: PhysMap) -> Option<u64> {
    tables(info, phys)?.rsdp()
}

/// The regions that runtime services need, by the map the loader named.
pub(crate) fn runtime_regions(info: &EfiInfo, phys: PhysMap) -> RuntimeRegions {
    MemoryMap::of(info, phys).map_or_else(RuntimeRegions::unknown, |map| RuntimeRegions::of(&map))
}

/// What must be left alone, whatever another map may say of it: what runtime services need, and some tables.
pub(crate) fn claims(info: &EfiInfo, phys: PhysMap, each: Each) {
    if let Ok(map) = MemoryMap::of(info, phys) {
        for region in map.iter().filter(Descriptor::is_runtime) {
            each(region.start, region.end - region.start, MemKind::Reserved);
        }
    }
    kept_tables(info, phys, each);
}

/// All memory, where the map the loader named is the only one. Without a map there is none, and that is said.
pub(crate) fn all_memory(info: &EfiInfo, phys: PhysMap, each: Each) {
    if let Ok(map) = MemoryMap::of(info, phys) {
        map.regions(each);
        kept_tables(info, phys, each);
    }
}
