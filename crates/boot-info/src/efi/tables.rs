//! The tables that the system table leads to (UEFI 2.10, chapter 4).

use core::ops::Range;

use uefi_raw::{Guid, guid};
use zerocopy::{
    FromBytes, Immutable, KnownLayout, Unaligned,
    little_endian::{U16, U32},
};

use super::{Descriptor, Error, MemoryMap, map};
use crate::{EfiInfo, PhysMap, phys, present::Present};

/// Names of configuration tables (UEFI 2.10, 4.6).
pub mod guids {
    use super::{Guid, guid};

    /// Root pointer of ACPI 2.0 and later.
    pub const ACPI_20: Guid = guid!("8868e871-e4f1-11d3-bc22-0080c73c8881");
    /// Root pointer of ACPI 1.0.
    pub const ACPI_10: Guid = guid!("eb9d2d30-2d88-11d3-9a16-0090273fc14d");
    /// [`MemoryAttributes`](super::MemoryAttributes).
    pub const MEMORY_ATTRIBUTES: Guid = guid!("dcfa911d-26eb-469f-a220-38b7dc461220");
    /// Which runtime services there are.
    pub const RT_PROPERTIES: Guid = guid!("eb66918a-7eef-402a-842e-931d21c38ae9");
}

/// What every table begins with.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct Header {
    signature: [u8; 8],
    revision: U32,
    size: U32,
    crc: U32,
    reserved: U32,
}

const HEADER: usize = size_of::<Header>();

/// The bytes of the table at `at`, header included, as far as its `least` fields.
fn table<'m>(at: u64, signature: &[u8; 8], least: usize, phys: PhysMap<'_, 'm>) -> Result<&'m [u8], Error> {
    let bytes = phys(at, least).and_then(|bytes| bytes.get(..least));
    let bytes = bytes.ok_or(Error::NotMapped)?;
    let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| Error::NotMapped)?;
    match header.signature == *signature {
        false => Err(Error::Signature),
        true if (header.size.get() as usize) < least => Err(Error::TableSize),
        true => Ok(bytes),
    }
}

/// The width of the firmware, and with it of its pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Width {
    is_64bit: bool,
}

impl Width {
    const fn bytes(self) -> usize {
        if self.is_64bit { 8 } else { 4 }
    }

    /// Bytes of a table with so many fields.
    const fn table(self, fields: usize) -> usize {
        HEADER + fields * self.bytes()
    }

    /// The field of this number in a table of pointers, or sizes; 0 beyond its end.
    fn field(self, table: &[u8], number: usize) -> u64 {
        let at = self.table(number);
        table.get(at..at + self.bytes()).map_or(0, pointer)
    }
}

/// A pointer's bytes as an address.
fn pointer(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |at, &b| at << 8 | u64::from(b))
}

/// The system table, as far as it matters after `ExitBootServices`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemTable {
    /// Revision of the specification: major in the high half, ten times minor in the low one.
    pub revision: u32,
    /// Address of the runtime services' table; 0 if there is none.
    pub runtime: u64,
    width: Width,
    tables: u64,
    count: u64,
}

/// The fields after the header, in pointers: `FirmwareVendor`, `FirmwareRevision` (32 bits, padded to a pointer), three pairs of
/// console handles and protocols, `RuntimeServices`, `BootServices`, `NumberOfTableEntries`, `ConfigurationTable`.
const RUNTIME_SERVICES: usize = 8;
const NUMBER_OF_ENTRIES: usize = 10;
const CONFIGURATION_TABLE: usize = 11;
const SYSTEM_FIELDS: usize = 12;

#[cfg(target_pointer_width = "64")]
const _: () = {
    use core::mem::offset_of;
    use uefi_raw::table::system::SystemTable as Native;
    const fn at(field: usize) -> usize {
        HEADER + 8 * field
    }
    assert!(offset_of!(Native, runtime_services) == at(RUNTIME_SERVICES));
    assert!(offset_of!(Native, number_of_configuration_table_entries) == at(NUMBER_OF_ENTRIES));
    assert!(offset_of!(Native, configuration_table) == at(CONFIGURATION_TABLE));
    assert!(size_of::<Native>() == at(SYSTEM_FIELDS));
};

impl SystemTable {
    /// The table the loader named.
    ///
    /// # Errors
    /// [`Error::NotMapped`], [`Error::Signature`], [`Error::TableSize`].
    pub fn of(info: &EfiInfo, phys: PhysMap) -> Result<Self, Error> {
        let is_64bit = info.is_64bit;
        let width = Width { is_64bit };
        let bytes = table(info.system_table, b"IBI SYST", width.table(SYSTEM_FIELDS), phys)?;
        let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| Error::NotMapped)?;
        Ok(Self {
            revision: header.revision.get(),
            runtime: width.field(bytes, RUNTIME_SERVICES),
            width,
            tables: width.field(bytes, CONFIGURATION_TABLE),
            count: width.field(bytes, NUMBER_OF_ENTRIES),
        })
    }

    /// The configuration tables.
    ///
    /// # Errors
    /// [`Error::NotMapped`]; no tables is no error.
    pub fn configuration<'m>(&self, phys: PhysMap<'_, 'm>) -> Result<ConfigurationTables<'m>, Error> {
        let entry = 16 + self.width.bytes();
        let len = self.count.min(MAX_TABLES) as usize * entry;
        let bytes = match len {
            0 => Some(&[][..]),
            _ => phys(self.tables, len).and_then(|bytes| bytes.get(..len)),
        };
        Ok(ConfigurationTables {
            bytes: bytes.ok_or(Error::NotMapped)?,
            width: self.width,
        })
    }

    /// The runtime services' table. What it holds are physical addresses until firmware has moved it to virtual ones.
    ///
    /// # Errors
    /// [`Error::NotMapped`], [`Error::Signature`], [`Error::TableSize`].
    pub fn runtime_table(&self, phys: PhysMap) -> Result<RuntimeTable, Error> {
        RuntimeTable::read(self.runtime, self.width, phys)
    }
}

/// Configuration tables that are looked at. Firmware has some twenty.
const MAX_TABLES: u64 = 256;

/// The list of configuration tables.
#[derive(Clone, Copy, Debug)]
pub struct ConfigurationTables<'m> {
    bytes: &'m [u8],
    width: Width,
}

impl ConfigurationTables<'_> {
    /// Name and address of each.
    pub fn iter(&self) -> impl Iterator<Item = (Guid, u64)> + use<'_> {
        let entries = self.bytes.chunks_exact(16 + self.width.bytes());
        entries.filter_map(|entry| {
            let (guid, at) = entry.split_first_chunk::<16>()?;
            Some((Guid::from_bytes(*guid), pointer(at)))
        })
    }

    /// Address of the first with this name.
    #[must_use]
    pub fn find(&self, name: Guid) -> Option<u64> {
        let mut named = self.iter().filter(|(guid, at)| *guid == name && *at != 0);
        named.next().map(|(_, at)| at)
    }

    /// Address of the ACPI root pointer, the newer one if there are two.
    #[must_use]
    pub fn rsdp(&self) -> Option<u64> {
        self.find(guids::ACPI_20).or_else(|| self.find(guids::ACPI_10))
    }

    /// The runtime services that firmware says it has, one bit each, as [`Service::mask`] counts them. All of them if it says
    /// nothing.
    #[must_use]
    pub fn runtime_services(&self, phys: PhysMap) -> u32 {
        #[derive(FromBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
        #[repr(C)]
        struct Properties {
            version: U16,
            length: U16,
            supported: U32,
        }
        let table = self.find(guids::RT_PROPERTIES);
        let table = table.and_then(|at| phys::read::<Properties>(phys, at));
        let good =
            table.filter(|t| t.version.get() == 1 && usize::from(t.length.get()) >= size_of::<Properties>());
        good.map_or(u32::MAX, |t| t.supported.get())
    }

    /// The memory attributes table, if there is one that can be read.
    #[must_use]
    pub fn memory_attributes<'m>(&self, phys: PhysMap<'_, 'm>) -> Option<MemoryAttributes<'m>> {
        MemoryAttributes::read(self.find(guids::MEMORY_ATTRIBUTES)?, phys)
    }
}

/// A runtime service (UEFI 2.10, 4.5), in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Service {
    GetTime,
    SetTime,
    GetWakeupTime,
    SetWakeupTime,
    SetVirtualAddressMap,
    ConvertPointer,
    GetVariable,
    GetNextVariableName,
    SetVariable,
    GetNextHighMonotonicCount,
    ResetSystem,
    UpdateCapsule,
    QueryCapsuleCapabilities,
    QueryVariableInfo,
}

impl Service {
    /// How many there are.
    pub const COUNT: usize = 14;

    /// Its bit in `EFI_RT_PROPERTIES_TABLE.RuntimeServicesSupported`: the order of that is that of the table.
    #[must_use]
    pub const fn mask(self) -> u32 {
        1 << self as u32
    }
}

const _: () = {
    use core::mem::offset_of;
    use uefi_raw::table::runtime::RuntimeServices as Native;
    const fn at(service: Service) -> usize {
        HEADER + service as usize * size_of::<usize>()
    }
    assert!(offset_of!(Native, get_time) == at(Service::GetTime));
    assert!(offset_of!(Native, set_virtual_address_map) == at(Service::SetVirtualAddressMap));
    assert!(offset_of!(Native, get_variable) == at(Service::GetVariable));
    assert!(offset_of!(Native, get_next_variable_name) == at(Service::GetNextVariableName));
    assert!(offset_of!(Native, reset_system) == at(Service::ResetSystem));
    assert!(offset_of!(Native, query_variable_info) == at(Service::QueryVariableInfo));
    assert!(size_of::<Native>() == HEADER + Service::COUNT * size_of::<usize>());
};

/// The runtime services' addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeTable {
    functions: [u64; Service::COUNT],
}

impl RuntimeTable {
    fn read(at: u64, width: Width, phys: PhysMap) -> Result<Self, Error> {
        let bytes = table(at, b"RUNTSERV", width.table(Service::COUNT), phys)?;
        let functions = core::array::from_fn(|service| width.field(bytes, service));
        Ok(Self { functions })
    }

    /// Address of a service; `None` where firmware has left it out.
    #[must_use]
    pub fn get(&self, service: Service) -> Option<u64> {
        Some(self.functions[service as usize]).filter(|&at| at != 0)
    }
}

/// The memory attributes table (UEFI 2.10, 4.6.4): which parts of the runtime services' memory are code and which are data.
#[derive(Clone, Debug)]
pub struct MemoryAttributes<'m> {
    range: Range<u64>,
    parts: MemoryMap<'m>,
}

impl<'m> MemoryAttributes<'m> {
    pub(super) fn read(at: u64, phys: PhysMap<'_, 'm>) -> Option<Self> {
        #[derive(FromBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
        #[repr(C)]
        struct Head {
            version: U32,
            entries: U32,
            descriptor_size: U32,
            flags: U32,
        }
        let head: Head = phys::read(phys, at)?;
        let entries = head.entries.get().min(map::MAX_DESCRIPTORS as u32 + 1);
        let list = EfiInfo {
            is_64bit: true,
            system_table: 0,
            memory_map: at.checked_add(size_of::<Head>() as u64)?,
            memory_map_size: entries.checked_mul(head.descriptor_size.get())?,
            descriptor_size: head.descriptor_size.get(),
            descriptor_version: 1,
            present: Present::Yes,
        };
        let known = (1..=2).contains(&head.version.get());
        let parts = MemoryMap::of(&list, phys).ok().filter(|_| known)?;
        let end = list.memory_map.checked_add(list.memory_map_size.into())?;
        Some(Self {
            range: at..end,
            parts,
        })
    }

    /// Where the table lies.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The parts that make sense, in the firmware's order. Of their attributes `READ_ONLY` and `EXECUTE_PROTECT` count.
    pub fn iter(&self) -> impl Iterator<Item = Descriptor> + use<'m> {
        self.parts.iter()
    }
}
