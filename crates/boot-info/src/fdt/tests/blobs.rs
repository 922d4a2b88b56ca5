//! Where the tests get their trees from.

use std::{fs, path::Path};

use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};

use crate::{BootInfo, fdt::*};

/// Where the tests pretend a blob lies.
pub const AT: u64 = 0x4800_0000;

/// What [`fill`] made of a blob.
pub struct Read {
    pub result: Result<(), Error>,
    pub boot: Box<BootInfo>,
    pub info: Box<FdtInfo>,
}

pub fn read(blob: &[u8]) -> Read {
    let (mut boot, mut info) = (Box::new(BootInfo::EMPTY), Box::new(FdtInfo::EMPTY));
    let result = fill(blob, AT, &mut boot, &mut info);
    Read { result, boot, info }
}

/// A blob as QEMU made it, without the padding at its end.
pub fn fixture(name: &str) -> Vec<u8> {
    // Cargo starts tests in their package's folder. A path that was compiled in could be another checkout's.
    let path = Path::new("tests/fixtures").join(name).with_extension("dtb");
    fs::read(path).unwrap()
}

/// Cells to bytes.
pub fn cells(cells: &[u32]) -> Vec<u8> {
    cells.iter().flat_map(|c| c.to_be_bytes()).collect()
}

/// A string to a property.
pub fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

/// A node from its properties and children.
pub fn node(name: &str, props: &[(&str, Vec<u8>)], children: Vec<DeviceTreeNode>) -> DeviceTreeNode {
    let mut node = DeviceTreeNode::new_unchecked(name);
    for (name, value) in props {
        node.add_property(DeviceTreeProperty::new_unchecked(*name, value.clone()));
    }
    for child in children {
        node.add_child(child);
    }
    node
}

/// A memory node at 1 GiB, 256 MiB long, for two address and two size cells.
pub fn memory() -> DeviceTreeNode {
    node(
        "memory@40000000",
        &[
            ("device_type", text("memory")),
            ("reg", cells(&[0, 0x4000_0000, 0, 0x1000_0000])),
        ],
        vec![],
    )
}

/// The blob of a tree with these nodes below a root of two address and two size cells.
pub fn blob(children: Vec<DeviceTreeNode>) -> Vec<u8> {
    tree(children).to_dtb()
}

pub fn tree(children: Vec<DeviceTreeNode>) -> DeviceTree {
    let mut tree = DeviceTree::new();
    let root = [
        ("#address-cells", cells(&[2])),
        ("#size-cells", cells(&[2])),
        ("interrupt-parent", cells(&[1])),
    ];
    tree.root = node("", &root, children);
    tree
}
