//! Memory and reservations.

use super::{
    cells::{joined, regions},
    node::{Bus, Node},
};
use crate::{BootInfo, MemKind};

/// Reservation entries looked at before the list is taken for endless.
const MAX_RESERVATIONS: usize = 256;

/// By `device_type`, as the specification demands, or by name, as some trees have it.
pub(super) fn is_memory(node: &Node<'_>) -> bool {
    node.props.device_type == b"memory\0" || node.name.name == "memory"
}

/// One memory node. There may be many: a machine with NUMA has one for each of its nodes. A node
/// whose status is not "okay" is somebody else's, such as the secure world's.
pub(super) fn add(node: &Node<'_>, bus: &Bus<'_>, boot: &mut BootInfo) {
    if node.is_available() {
        for r in node.regions(bus) {
            boot.memory.push(r.base, r.len, MemKind::Usable);
        }
    }
}

/// The static children of `/reserved-memory`. Those without `reg` ask for memory of our choice,
/// which nobody here needs to give.
pub(super) fn reserved(node: &Node<'_>, root: &Bus<'_>, boot: &mut BootInfo) {
    let bus = node.bus(Some(root));
    for child in node.children().filter(Node::is_available) {
        let no_map = child.property("no-map").is_some();
        let kind = if no_map {
            MemKind::Reserved
        } else {
            MemKind::ReservedRam
        };
        for r in regions(child.props.reg, bus.address_cells, bus.size_cells) {
            boot.memory.push(r.base, r.len, kind);
        }
    }
}

/// The memory reservation block: pairs of 64-bit address and length up to a pair of zeros.
pub(super) fn reservations(block: &[u8], boot: &mut BootInfo) {
    for entry in block.chunks_exact(16).take(MAX_RESERVATIONS) {
        let (start, len) = (joined(entry, 2).unwrap_or(0), joined(&entry[8..], 2).unwrap_or(0));
        if (start, len) == (0, 0) {
            return;
        }
        boot.memory.push(start, len, MemKind::ReservedRam);
    }
}
