//! The device tree: firmware's, or an empty one, with what the kernel is to know in `/chosen`.
//!
//! Names and sizes are Linux's (`Documentation/arch/arm/uefi.rst`; `linux,initrd-*` of the devicetree `chosen` binding).

use alloc::vec::Vec;

use dtoolkit::fdt::Fdt;
use dtoolkit::fdt_mut::FdtMut;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use dtoolkit::{Node, ToPropertyValue};

use crate::Error;

/// What a loader has to say. All addresses are physical.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chosen<'a> {
    /// The command line.
    pub cmdline: &'a str,
    /// The initial RAM disk: its first byte, and behind its last.
    pub initrd: Option<(u64, u64)>,
    /// The system table.
    pub system_table: u64,
    /// Where the memory map will be.
    pub map: u64,
}

/// What is known of the memory map once boot services are gone.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    /// Its bytes.
    pub bytes: u32,
    /// Bytes from one descriptor to the next.
    pub descriptor_bytes: u32,
    /// The descriptors' version.
    pub descriptor_version: u32,
}

const MAP_SIZE: &str = "linux,uefi-mmap-size";
const DESCRIPTOR_SIZE: &str = "linux,uefi-mmap-desc-size";
const DESCRIPTOR_VERSION: &str = "linux,uefi-mmap-desc-ver";

/// Makes the kernel's tree out of the firmware's.
///
/// # Errors
/// [`Error::BadTree`] when that one is damaged.
pub fn build(firmware: Option<&[u8]>, chosen: &Chosen<'_>) -> Result<Vec<u8>, Error> {
    let mut tree = match firmware {
        Some(blob) => DeviceTree::from_fdt(&Fdt::new(blob).map_err(|_| Error::BadTree)?),
        None => empty()?,
    };
    if tree.root.child("chosen").is_none() {
        tree.root
            .add_child(DeviceTreeNode::new("chosen").map_err(|_| Error::BadTree)?);
    }
    let node = tree.root.child_mut("chosen").ok_or(Error::BadTree)?;
    set(node, "bootargs", chosen.cmdline)?;
    let (start, end) = ("linux,initrd-start", "linux,initrd-end");
    for name in [start, end] {
        node.remove_property(name);
    }
    if let Some((first, last)) = chosen.initrd {
        set(node, start, first)?;
        set(node, end, last)?;
    }
    set(node, "linux,uefi-system-table", chosen.system_table)?;
    set(node, "linux,uefi-mmap-start", chosen.map)?;
    for name in [MAP_SIZE, DESCRIPTOR_SIZE, DESCRIPTOR_VERSION] {
        set(node, name, 0_u32)?;
    }
    Ok(tree.to_dtb())
}

/// Fills in what is known of the memory map, in place: nothing is allocated. `None` if there was no place for it.
pub fn set_map(blob: &mut [u8], map: &Map) -> Option<()> {
    let mut tree = FdtMut::from_slice(blob).ok()?;
    let mut chosen = tree.find_node_mut("/chosen")?;
    for (name, value) in [
        (MAP_SIZE, map.bytes),
        (DESCRIPTOR_SIZE, map.descriptor_bytes),
        (DESCRIPTOR_VERSION, map.descriptor_version),
    ] {
        chosen.property_mut(name)?.set_value(value).ok()?;
    }
    Some(())
}

/// A machine that ACPI describes: nothing but the sizes of numbers.
fn empty() -> Result<DeviceTree, Error> {
    let mut tree = DeviceTree::new();
    set(&mut tree.root, "#address-cells", 2_u32)?;
    set(&mut tree.root, "#size-cells", 2_u32)?;
    Ok(tree)
}

fn set(node: &mut DeviceTreeNode, name: &str, value: impl ToPropertyValue) -> Result<(), Error> {
    node.remove_property(name);
    node.add_property(DeviceTreeProperty::new(name, value).map_err(|_| Error::BadTree)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use boot_info::fdt::{self, FdtInfo};
    use boot_info::{BootInfo, Initrd};
    use dtoolkit::Property;

    use super::*;

    const CHOSEN: Chosen<'_> = Chosen {
        cmdline: "panic=-1 run=cpus",
        initrd: Some((0x4800_0000, 0x4800_1234)),
        system_table: 0x1_2345_6789,
        map: 0x4810_0000,
    };

    const MAP: Map = Map {
        bytes: 0x1230,
        descriptor_bytes: 48,
        descriptor_version: 1,
    };

    fn bytes(blob: &[u8], name: &str) -> Vec<u8> {
        let tree = Fdt::new(blob).unwrap();
        let chosen = tree.find_node("/chosen").unwrap();
        chosen.property(name).unwrap().value().to_vec()
    }

    fn firmware() -> Vec<u8> {
        let mut tree = empty().unwrap();
        let mut chosen = DeviceTreeNode::new("chosen").unwrap();
        set(&mut chosen, "bootargs", "of the firmware").unwrap();
        set(&mut chosen, "linux,initrd-start", 1_u32).unwrap();
        set(&mut chosen, "stdout-path", "/uart").unwrap();
        tree.root.add_child(chosen);
        let mut memory = DeviceTreeNode::new("memory@40000000").unwrap();
        set(&mut memory, "device_type", "memory").unwrap();
        set(&mut memory, "reg", [0_u32, 0x4000_0000, 0, 0x1000_0000]).unwrap();
        tree.root.add_child(memory);
        tree.to_dtb()
    }

    /// What the kernel makes of a tree. Memory is for the map to say, which is not there yet.
    fn read(blob: &[u8], boot: &mut BootInfo, info: &mut FdtInfo) {
        assert_eq!(
            fdt::fill(blob, 0x4820_0000, boot, info),
            Err(fdt::Error::NoMemory)
        );
    }

    #[test]
    fn numbers_have_the_sizes_that_linux_reads() {
        for blob in [build(None, &CHOSEN), build(Some(&firmware()), &CHOSEN)] {
            let mut blob = blob.unwrap();
            assert_eq!(bytes(&blob, "bootargs"), b"panic=-1 run=cpus\0");
            assert_eq!(
                bytes(&blob, "linux,uefi-system-table"),
                0x1_2345_6789_u64.to_be_bytes()
            );
            assert_eq!(
                bytes(&blob, "linux,uefi-mmap-start"),
                0x4810_0000_u64.to_be_bytes()
            );
            let before = blob.len();
            set_map(&mut blob, &MAP).unwrap();
            assert_eq!(bytes(&blob, "linux,uefi-mmap-size"), 0x1230_u32.to_be_bytes());
            assert_eq!(bytes(&blob, "linux,uefi-mmap-desc-size"), 48_u32.to_be_bytes());
            assert_eq!(bytes(&blob, "linux,uefi-mmap-desc-ver"), 1_u32.to_be_bytes());
            assert_eq!(blob.len(), before, "in place");
        }
    }

    #[test]
    fn what_firmware_said_of_the_machine_stays() {
        let blob = build(Some(&firmware()), &CHOSEN).unwrap();
        assert_eq!(bytes(&blob, "stdout-path"), b"/uart\0");
        let (mut boot, mut info) = (BootInfo::EMPTY, FdtInfo::EMPTY);
        read(&blob, &mut boot, &mut info);
        assert_eq!(boot.cmdline.as_str(), CHOSEN.cmdline);
        // Where it lies is held against memory later, by those who know it.
        for (name, address) in [("start", 0x4800_0000_u64), ("end", 0x4800_1234)] {
            assert_eq!(
                bytes(&blob, &format!("linux,initrd-{name}")),
                address.to_be_bytes()
            );
        }
    }

    #[test]
    fn an_initrd_of_the_firmware_goes_if_there_is_none() {
        let chosen = Chosen {
            initrd: None,
            ..CHOSEN
        };
        let blob = build(Some(&firmware()), &chosen).unwrap();
        let (mut boot, mut info) = (BootInfo::EMPTY, FdtInfo::EMPTY);
        read(&blob, &mut boot, &mut info);
        assert!(matches!(boot.initrd, Initrd::Absent));
    }

    #[test]
    fn damage_is_refused() {
        let good = firmware();
        assert_eq!(build(Some(&[]), &CHOSEN), Err(Error::BadTree));
        assert_eq!(build(Some(&good[..good.len() - 1]), &CHOSEN), Err(Error::BadTree));
        assert_eq!(set_map(&mut good.clone(), &MAP), None, "no such property");
        assert_eq!(set_map(&mut [0; 64], &MAP), None);
    }
}
