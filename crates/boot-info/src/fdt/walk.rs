//! The walk over the tree: every node is looked at once and handed to whoever knows it.

use ::fdt::{Fdt, nodes::AsNode};

use super::{
    Error, FdtInfo, chosen, cpus, gic, memory,
    node::{Bus, Node},
    psci,
    scan::{self, Scanned},
    uart,
};
use crate::{BootInfo, EfiInfo, Loader, MemKind, MemRegion, PhysMap, Protocol, efi};

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
    let (root, version) = root(&scanned)?;
    boot.loader = Loader {
        protocol: Protocol::DeviceTree,
        version,
        id: 0,
    };
    boot.fdt = Some(at);
    let found = look_around(root, boot, info);
    boot.efi = found.chosen.efi();
    let mut any = false;
    let memory = &mut boot.memory;
    memory::each(root, &scanned, at, boot.efi.as_ref(), phys, &mut |r| {
        any |= r.kind == MemKind::Usable;
        memory.push(r.start, r.len, r.kind);
    });
    if let Some(efi) = &boot.efi {
        boot.efi_runtime = efi::runtime_regions(efi, phys);
        boot.rsdp = efi::rsdp(efi, phys);
    }
    finish(root, &found, boot, info);
    if any { Ok(()) } else { Err(Error::NoMemory) }
}

/// Hands each region of memory to `each`: what [`fill_with`] puts into its map, of the same tree and the same EFI.
///
/// # Errors
/// See [`Error`].
pub fn regions(
    bytes: &[u8],
    at: u64,
    efi: Option<&EfiInfo>,
    phys: PhysMap,
    each: &mut dyn FnMut(MemRegion),
) -> Result<(), Error> {
    let scanned = scan::scan(bytes)?;
    let (root, _) = root(&scanned)?;
    memory::each(root, &scanned, at, efi, phys, each);
    Ok(())
}

/// The root node, and the version of the tree.
fn root<'a>(scanned: &Scanned<'a>) -> Result<(Node<'a>, u32), Error> {
    let tree = Fdt::new_unaligned_fallible(scanned.blob).map_err(|_| Error::BadStructure)?;
    let version = tree.header().version;
    let root = tree.root().ok().and_then(|root| Node::new(root.as_node()));
    Ok((root.ok_or(Error::BadStructure)?, version))
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
            _ if memory::is_about(&node) => {}
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
