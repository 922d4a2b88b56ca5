//! Firmware's calls, in the words of the loader.

use alloc::vec::Vec;
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::slice;

use efi_loader::memory::{self, Region};
use efi_loader::{Error, PAGE, Room, place};
use uefi::Guid;
use uefi::boot::{self, AllocateType, MemoryType};
use uefi::mem::memory_map::MemoryMap;
use uefi::proto::loaded_image::LoadedImage;
use uefi::table::cfg::ConfigTableEntry;

/// More descriptors than there were when they were counted: allocations split free memory, and so does leaving.
pub const SPARE: usize = 32;
/// How often memory that was free a moment ago may turn out not to be.
const ATTEMPTS: usize = 16;

/// This program, as it was started.
pub struct Own {
    /// Its file in memory.
    pub memory: &'static [u8],
    /// What it was started with.
    pub options: Vec<u8>,
}

/// Looks at this program.
///
/// # Errors
/// [`Error::Firmware`].
pub fn own_image() -> Result<Own, Error> {
    let image =
        boot::open_protocol_exclusive::<LoadedImage>(boot::image_handle()).map_err(|_| Error::Firmware)?;
    let (base, bytes) = image.info();
    let bytes = usize::try_from(bytes).map_err(|_| Error::Firmware)?;
    if base.is_null() {
        return Err(Error::Firmware);
    }
    Ok(Own {
        // SAFETY: firmware put the program there, and it stays for as long as it runs. Its sections that are written to are
        // none of those that are looked at.
        memory: unsafe { slice::from_raw_parts(base.cast(), bytes) },
        options: image.load_options_as_bytes().unwrap_or_default().to_vec(),
    })
}

/// The memory map of a moment.
pub struct Map {
    /// What is where.
    pub regions: Vec<Region>,
    /// Bytes that the last map will not exceed.
    pub room: usize,
}

/// Asks for the memory map.
///
/// # Errors
/// [`Error::Firmware`].
pub fn map() -> Result<Map, Error> {
    let map = boot::memory_map(MemoryType::LOADER_DATA).map_err(|_| Error::Firmware)?;
    let meta = map.meta();
    let bytes = map.buffer().get(..meta.map_size).ok_or(Error::Firmware)?;
    Ok(Map {
        regions: memory::regions(bytes, meta.desc_size).collect(),
        room: meta.map_size + SPARE * meta.desc_size,
    })
}

/// Takes the lowest memory that does.
///
/// # Errors
/// [`Error::NoRoom`].
pub fn lowest(room: Room) -> Result<&'static mut [u8], Error> {
    let mut room = room;
    for _ in 0..ATTEMPTS {
        let at = place::lowest(map()?.regions.into_iter(), &room).ok_or(Error::NoRoom)?;
        // Code, because firmware that forbids execution forbids it elsewhere.
        if let Some(memory) = take(AllocateType::Address(at), MemoryType::LOADER_CODE, room.bytes) {
            return Ok(memory);
        }
        room.first = at + room.align;
    }
    Err(Error::NoRoom)
}

/// Copies `bytes` to pages of their own that end below `limit`.
///
/// # Errors
/// [`Error::NoRoomForInitrd`].
pub fn copy_below(bytes: &[u8], limit: u64) -> Result<&'static [u8], Error> {
    let highest = AllocateType::MaxAddress(limit.saturating_sub(1));
    let pages =
        take(highest, MemoryType::LOADER_DATA, (bytes.len() as u64).max(1)).ok_or(Error::NoRoomForInitrd)?;
    let (copy, _) = pages.split_at_mut(bytes.len());
    copy.copy_from_slice(bytes);
    Ok(copy)
}

/// Never given back: what is in it is the kernel's, or firmware is left for good.
fn take(how: AllocateType, kind: MemoryType, bytes: u64) -> Option<&'static mut [u8]> {
    let pages = usize::try_from(bytes.div_ceil(PAGE)).ok()?;
    let start: NonNull<u8> = boot::allocate_pages(how, kind, pages).ok()?;
    let bytes = pages.checked_mul(PAGE as usize)?;
    // SAFETY: firmware gave these pages to nobody else; zeroed, they are bytes.
    unsafe {
        ptr::write_bytes(start.as_ptr(), 0, bytes);
        Some(slice::from_raw_parts_mut(start.as_ptr(), bytes))
    }
}

/// Where a configuration table lies.
pub fn table(guid: Guid) -> Option<NonNull<c_void>> {
    uefi::system::with_config_table(|tables| {
        let table = tables
            .iter()
            .find(|table: &&ConfigTableEntry| table.guid == guid)?;
        NonNull::new(table.address.cast_mut())
    })
}

/// Where the system table lies.
///
/// # Errors
/// [`Error::Firmware`].
pub fn system_table() -> Result<u64, Error> {
    let table = uefi::table::system_table_raw().ok_or(Error::Firmware)?;
    Ok(address(table.as_ptr()))
}

/// The physical address, which is the only one there is.
pub fn address<T: ?Sized>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}

/// The map that holds once boot services are gone.
pub struct Last {
    /// Its bytes, whole descriptors.
    pub bytes: usize,
    /// Bytes from one to the next.
    pub descriptor_bytes: usize,
    /// Their version.
    pub descriptor_version: u32,
}

/// Leaves boot services, and writes the last memory map to `to`, as far as there is room.
///
/// # Safety
/// Nothing of firmware is called afterwards, and nothing is allocated or freed.
pub unsafe fn exit(to: &mut [u8]) -> Last {
    // SAFETY: the caller's promise.
    let map = unsafe { boot::exit_boot_services(Some(MemoryType::LOADER_DATA)) };
    let meta = map.meta();
    let fits = to.len() / meta.desc_size * meta.desc_size;
    let bytes = meta.map_size.min(fits);
    let from = map.buffer().get(..bytes).unwrap_or_default();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    let last = Last {
        bytes: from.len(),
        descriptor_bytes: meta.desc_size,
        descriptor_version: meta.desc_version,
    };
    // Whose memory it is nobody counts any longer.
    core::mem::forget(map);
    last
}
