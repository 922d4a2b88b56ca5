//! What a kernel keeps of the memory map: the regions that runtime services need.

use arrayvec::ArrayVec;

use super::{Descriptor, Error, MemoryMap, SystemTable, guids};
use crate::{EfiInfo, MemKind, MemMap, PhysMap, present::Present};

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

/// Sees to tables that firmware leaves in memory which is free otherwise, as the memory attributes table by its
/// specification: `memory` learns where they are. Returns the address of ACPI's root pointer, if a table tells.
pub(crate) fn keep_tables(info: &EfiInfo, phys: PhysMap, memory: &mut MemMap) -> Option<u64> {
    let tables = SystemTable::of(info, phys).ok()?.configuration(phys).ok()?;
    let attributes = tables.memory_attributes(phys).map(|table| table.range());
    let properties = tables
        .find(guids::RT_PROPERTIES)
        .map(|at| at..at.saturating_add(8));
    for kept in [attributes, properties].into_iter().flatten() {
        memory.push(
            kept.start,
            kept.end.saturating_sub(kept.start),
            MemKind::ReservedRam,
        );
    }
    tables.rsdp()
}

/// Reads the map the loader named. `memory` learns what must be left alone: what runtime services need, whatever another map
/// may say of it.
pub(crate) fn note(info: &EfiInfo, phys: PhysMap, memory: &mut MemMap) -> RuntimeRegions {
    let map = match MemoryMap::of(info, phys) {
        Ok(map) => map,
        Err(error) => return RuntimeRegions::unknown(error),
    };
    for region in map.iter().filter(Descriptor::is_runtime) {
        memory.push(region.start, region.end - region.start, MemKind::Reserved);
    }
    RuntimeRegions::of(&map)
}

/// As [`note`], where this map is the only one: `memory` learns all of it.
///
/// # Errors
/// See [`Error`]; `memory` is as it was.
pub(crate) fn take_map(info: &EfiInfo, phys: PhysMap, memory: &mut MemMap) -> Result<RuntimeRegions, Error> {
    let map = MemoryMap::of(info, phys)?;
    map.add_to(memory);
    Ok(RuntimeRegions::of(&map))
}
