//! Memory and reservations.

use super::{
    cells::{joined, regions},
    node::{Bus, Node},
    scan::Scanned,
};
use crate::{EfiInfo, MemKind, MemRegion, PhysMap, efi};

/// Whoever learns of a region: start, length, kind.
type Each<'f> = &'f mut dyn FnMut(u64, u64, MemKind);

/// By `device_type`, as the specification demands, or by name, as some trees have it.
fn is_memory(node: &Node<'_>) -> bool {
    node.props.device_type == b"memory\0" || node.name.name == "memory"
}

/// All that the tree says of memory, in its order, or an EFI behind it in its place, and then what is to be left alone: the
/// blob, which lies at `at`, itself as well.
pub(super) fn each(
    root: Node<'_>,
    scanned: &Scanned<'_>,
    at: u64,
    efi: Option<&EfiInfo>,
    phys: PhysMap,
    each: &mut dyn FnMut(MemRegion),
) {
    let mut each = |start, len, kind| MemRegion::tamed(start, len, kind).map_or((), &mut *each);
    let bus = root.bus(None);
    for node in root.children() {
        match node.name.name {
            "chosen" | "aliases" | "cpus" => {}
            "reserved-memory" => reserved(&node, &bus, &mut each),
            _ if efi.is_none() && is_memory(&node) => add(&node, &bus, &mut each),
            _ => {}
        }
    }
    if let Some(efi) = efi {
        efi::all_memory(efi, phys, &mut each);
    }
    reservations(scanned.reservations, &mut each);
    each(at, scanned.blob.len() as u64, MemKind::ReservedRam);
}

/// Whether a child of the root is about memory, so that no device is to be looked for in it.
pub(super) fn is_about(node: &Node<'_>) -> bool {
    node.name.name == "reserved-memory" || is_memory(node)
}

/// One memory node. There may be many: a machine with NUMA has one for each of its nodes. A node
/// whose status is not "okay" is somebody else's, such as the secure world's.
fn add(node: &Node<'_>, bus: &Bus<'_>, each: Each) {
    if node.is_available() {
        for r in node.regions(bus) {
            each(r.base, r.len, MemKind::Usable);
        }
    }
}

/// The static children of `/reserved-memory`. Those without `reg` ask for memory of our choice,
/// which nobody here needs to give.
fn reserved(node: &Node<'_>, root: &Bus<'_>, each: Each) {
    let bus = node.bus(Some(root));
    for child in node.children().filter(Node::is_available) {
        let no_map = child.property("no-map").is_some();
        let kind = if no_map {
            MemKind::Reserved
        } else {
            MemKind::ReservedRam
        };
        for r in regions(child.props.reg, bus.address_cells, bus.size_cells) {
            each(r.base, r.len, kind);
        }
    }
}

/// The memory reservation block: pairs of 64-bit address and length up to a pair of zeros, or to the block that follows.
fn reservations(block: &[u8], each: Each) {
    for entry in block.chunks_exact(16) {
        let (start, len) = (joined(entry, 2).unwrap_or(0), joined(&entry[8..], 2).unwrap_or(0));
        if (start, len) == (0, 0) {
            return;
        }
        each(start, len, MemKind::ReservedRam);
    }
}
