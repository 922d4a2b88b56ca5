//! The arm64 boot protocol: a device tree, caches and MMU off, then the Image's first instruction.

use core::arch::global_asm;
use core::convert::Infallible;
use core::slice;

use efi_loader::parts::Parts;
use efi_loader::tree::{self, Chosen, Map};
use efi_loader::{Error, PAGE, Room, arm64};
use uefi::{Guid, guid};

use crate::firmware::{self, address};

/// `EFI_DTB_TABLE_GUID`: firmware's device tree (EBBR 2.1, 2.3.3).
const DEVICE_TREE: Guid = guid!("b1b621d5-f19c-41a5-830b-d9152c69aae0");
/// What Linux on arm64 takes, without the terminator.
const COMMAND_LINE: usize = 2047;
/// What `/chosen` adds to a tree, without the command line; generously.
const CHOSEN: usize = 4096;
/// The kernel maps this much.
const LARGEST_TREE: usize = 2 << 20;

global_asm!(include_str!("aarch64.s"));

unsafe extern "C" {
    /// Cleans `start..end` and enters the kernel.
    fn standstill_enter(tree: *const u8, entry: *const u8, start: *const u8, end: *const u8) -> !;
}

/// Puts all into place, and enters the kernel.
///
/// # Errors
/// Whatever keeps it from that, while firmware can still be told.
pub fn boot(parts: &Parts<'_>, options: &[u8]) -> Result<Infallible, Error> {
    let kernel = arm64::parse(parts.kernel)?;
    let cmdline = crate::command_line(parts, options, COMMAND_LINE)?;
    let firmwares = device_tree()?;
    let map = firmware::map()?;
    let page = PAGE as usize;
    let image = kernel.room.bytes.next_multiple_of(PAGE) as usize;
    let most = map.room.next_multiple_of(page);
    let tree = (firmwares.map_or(0, <[u8]>::len) + cmdline.len() + CHOSEN).next_multiple_of(page);
    let memory = firmware::lowest(Room {
        bytes: (image + most + tree) as u64,
        ..kernel.room
    })?;
    memory[..kernel.payload.len()].copy_from_slice(kernel.payload);
    let all = memory.as_ptr_range();
    let (_, rest) = memory.split_at_mut(image);
    let (map_at, tree_at) = rest.split_at_mut(most);
    let initrd = parts
        .initrd
        .map(|bytes| firmware::copy_below(bytes, kernel.room.limit))
        .transpose()?;
    let chosen = Chosen {
        cmdline: &cmdline,
        initrd: initrd.map(|bytes| {
            let ends = bytes.as_ptr_range();
            (address(ends.start), address(ends.end))
        }),
        system_table: firmware::system_table()?,
        map: address(map_at.as_ptr()),
    };
    let built = tree::build(firmwares, &chosen)?;
    let tree_at = tree_at.get_mut(..built.len()).ok_or(Error::BadTree)?;
    tree_at.copy_from_slice(&built);
    // SAFETY: what follows only writes to memory that is there already.
    let last = unsafe { firmware::exit(map_at) };
    let last = Map {
        bytes: last.bytes as u32,
        descriptor_bytes: last.descriptor_bytes as u32,
        descriptor_version: last.descriptor_version,
    };
    // There is a place: the tree is the one that was just built.
    let _ = tree::set_map(tree_at, &last);
    // SAFETY: the kernel lies at the start, as its header wants it, and boot services are gone. What is dropped at the end of
    // this function never is.
    unsafe { standstill_enter(tree_at.as_ptr(), all.start, all.start, all.end) }
}

/// Firmware's device tree, if it has one.
fn device_tree() -> Result<Option<&'static [u8]>, Error> {
    let Some(at) = firmware::table(DEVICE_TREE) else {
        return Ok(None);
    };
    // SAFETY: firmware says that a device tree is there; its header is 40 bytes, magic and size first.
    let head = unsafe { at.cast::<[[u8; 4]; 2]>().read() }.map(u32::from_be_bytes);
    if head[0] != 0xd00d_feed || head[1] as usize > LARGEST_TREE {
        return Err(Error::BadTree);
    }
    // SAFETY: as long as it says it is.
    Ok(Some(unsafe {
        slice::from_raw_parts(at.cast().as_ptr(), head[1] as usize)
    }))
}
