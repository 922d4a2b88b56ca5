//! The walk over the tree: every node is looked at once and handed to whoever knows it.

use ::fdt::{Fdt, nodes::AsNode};

use super::{
    Error, FdtInfo, chosen, cpus, gic, memory,
    node::{Bus, Node},
    psci,
    scan::{self, Scanned},
    uart,
};
use crate::{BootInfo, EfiInfo, Loader, PhysMap, Protocol, efi};

/// Levels of buses below the root that are searched for devices. What a kernel needs before it has a
/// heap is never deeper, and each level costs boot stack: about 1 KiB of 16.
const MAX_LEVELS: usize = 4;

/// What the walk finds on its way and needs at the end.
pub(super) struct Found<'a> {
    pub chosen: chosen::Chosen<'a>,
    pub aliases: Option<Node<'a>>,
    /// Where interrupts are decoded: phandle and `#interrupt-cells` of the GIC.
    pub gic: Option<gic::Found>,
    /// Timer node's interrupts, raw: the GIC may come later in the tree.
    pub timer: Option<(gic::RawInterrupts<'a>, super::Timer)>,
}

/// Reads the blob that lies at physical address `at` into `boot` (memory, command line, initrd,
/// seed, console) and `info` (the rest).
///
/// Both should be empty. `bytes` may be longer than the blob. The blob's own memory is put into the map as reserved.
///
/// # Errors
/// See [`Error`]. Both outputs are untouched, but for [`Error::NoMemory`].
pub fn fill(bytes: &[u8], at: u64, boot: &mut BootInfo, info: &mut FdtInfo) -> Result<(), Error> {
    fill_with(bytes, at, &|_, _| None, boot, info)
}

/// As [`fill`], where there may be an EFI behind the tree: `/chosen` then names its memory map, which is read through `phys`
/// and takes the place of memory nodes. The tree may hold nothing else.
///
/// # Errors
/// As [`fill`]; with an EFI, [`Error::NoMemory`] says that its map cannot be used.
pub fn fill_with(
    bytes: &[u8],
    at: u64,
    phys: PhysMap,
    boot: &mut BootInfo,
    info: &mut FdtInfo,
) -> Result<(), Error> {
    let scanned = scan::scan(bytes)?;
    let tree = Fdt::new_unaligned_fallible(scanned.blob).map_err(|_| Error::BadStructure)?;
    let root = tree
        .root()
        .ok()
        .and_then(|root| Node::new(root.as_node()))
        .ok_or(Error::BadStructure)?;

    boot.loader = Loader {
        protocol: Protocol::DeviceTree,
        version: tree.header().version,
        id: 0,
    };
    boot.fdt = Some(at);
    let found = look_around(root, boot, info);
    if let Some(efi) = found.chosen.efi() {
        from_efi(efi, phys, boot);
    }
    reserve(&scanned, at, boot);
    finish(root, &found, boot, info);
    let any = boot
        .memory
        .regions()
        .iter()
        .any(|r| r.kind == crate::MemKind::Usable);
    if any { Ok(()) } else { Err(Error::NoMemory) }
}

fn look_around<'a>(root: Node<'a>, boot: &mut BootInfo, info: &mut FdtInfo) -> Found<'a> {
    let mut found = Found {
        chosen: chosen::Chosen::default(),
        aliases: None,
        gic: None,
        timer: None,
    };
    let bus = root.bus(None);
    for node in root.children() {
        match node.name.name {
            "chosen" => found.chosen = chosen::read(&node, boot),
            "aliases" => found.aliases = Some(node),
            "cpus" => cpus::read(&node, info),
            "reserved-memory" => memory::reserved(&node, &bus, boot),
            _ if memory::is_memory(&node) => memory::add(&node, &bus, boot),
            _ => device(node, &bus, MAX_LEVELS, info, &mut found),
        }
    }
    found
}

/// A device, or a bus with devices below it.
fn device<'a>(node: Node<'a>, bus: &Bus<'_>, levels: usize, info: &mut FdtInfo, found: &mut Found<'a>) {
    if levels == 0 || !node.is_available() {
        return;
    }
    if !node.props.compatible.is_empty() {
        psci::read(&node, info);
        gic::read(&node, bus, info, found);
        gic::timer(&node, bus, found);
    }
    let below = node.bus(Some(bus));
    for child in node.children() {
        device(child, &below, levels - 1, info, found);
    }
}

/// Memory as EFI says it is. What the tree wants left alone is left alone.
fn from_efi(info: EfiInfo, phys: PhysMap, boot: &mut BootInfo) {
    boot.efi = Some(info);
    boot.memory.retain(|region| region.kind != crate::MemKind::Usable);
    // Without a map there is no memory at all, and that is said.
    if let Ok(regions) = efi::take_map(&info, phys, &mut boot.memory) {
        boot.efi_runtime = regions;
        boot.rsdp = efi::keep_tables(&info, phys, &mut boot.memory);
    }
}

fn reserve(scanned: &Scanned<'_>, at: u64, boot: &mut BootInfo) {
    memory::reservations(scanned.reservations, boot);
    boot.memory
        .push(at, scanned.blob.len() as u64, crate::MemKind::ReservedRam);
}

/// What can only be said once the whole tree is known.
fn finish(root: Node<'_>, found: &Found<'_>, boot: &mut BootInfo, info: &mut FdtInfo) {
    boot.initrd = found.chosen.initrd(&boot.memory);
    info.timer = found
        .timer
        .as_ref()
        .map(|(raw, timer)| gic::decode_timer(raw, *timer, found.gic.as_ref()));
    info.uart = uart::find(root, MAX_LEVELS, found);
    boot.console = info.uart.map(|uart| uart.console);
}
