//! A usual tree in parts, any of which may be changed.

use dtoolkit::memreserve::MemoryReservation;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};

use super::{BLOB_AT, IMAGE_AT, Odd};

/// Where the machine's devices are.
pub const GICD: u64 = 0x800_0000;
pub const GICR: u64 = 0x80a_0000;
pub const UART: u64 = 0x900_0000;

/// A property.
pub type Prop = (&'static str, Vec<u8>);

/// Cells to bytes.
pub fn cells(cells: &[u32]) -> Vec<u8> {
    cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()
}

/// Pairs of cells to bytes.
pub fn wide(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A string to a property.
pub fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// With its unit address.
    pub name: String,
    /// In their order.
    pub props: Vec<Prop>,
    /// In their order.
    pub children: Vec<Node>,
}

/// A node of properties alone.
pub fn node(name: &str, props: &[Prop]) -> Node {
    Node {
        name: name.to_owned(),
        props: props.to_vec(),
        children: Vec::new(),
    }
}

impl Node {
    /// With a property that replaces one of its name.
    pub fn with(mut self, name: &'static str, value: Vec<u8>) -> Self {
        self.props.retain(|(known, _)| *known != name);
        self.props.push((name, value));
        self
    }

    /// Without a property.
    pub fn without(mut self, name: &str) -> Self {
        self.props.retain(|(known, _)| *known != name);
        self
    }

    /// With children.
    pub fn holding(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    fn build(&self) -> DeviceTreeNode {
        let mut node = DeviceTreeNode::new_unchecked(self.name.as_str());
        for (name, value) in &self.props {
            node.add_property(DeviceTreeProperty::new_unchecked(*name, value.clone()));
        }
        self.children
            .iter()
            .for_each(|child| node.add_child(child.build()));
        node
    }
}

/// The tree.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The root's own.
    pub root: Vec<Prop>,
    /// `/chosen`.
    pub chosen: Node,
    /// Memory nodes.
    pub memory: Vec<Node>,
    /// `/cpus`.
    pub cpus: Node,
    /// Firmware calls.
    pub psci: Option<Node>,
    /// Interrupt controllers.
    pub gic: Vec<Node>,
    /// The generic timer.
    pub timer: Option<Node>,
    /// The console.
    pub uart: Option<Node>,
    /// Nodes at the end.
    pub more: Vec<Node>,
    /// The memory reservation block, as start and length.
    pub reservations: Vec<(u64, u64)>,
}

/// RAM.
pub fn memory(start: u64, len: u64) -> Node {
    let reg = wide(&[start, len]);
    node(
        &format!("memory@{start:x}"),
        &[("device_type", text("memory")), ("reg", reg)],
    )
}

/// A CPU that PSCI starts.
pub fn cpu(id: u32) -> Node {
    node(
        &format!("cpu@{id:x}"),
        &[
            ("device_type", text("cpu")),
            ("compatible", text("arm,cortex-a57")),
            ("reg", cells(&[id])),
            ("enable-method", text("psci")),
        ],
    )
}

/// `/cpus` with these.
pub fn cpus(children: impl IntoIterator<Item = Node>) -> Node {
    let props = [("#address-cells", cells(&[1])), ("#size-cells", cells(&[0]))];
    node("cpus", &props).holding(children)
}

/// `/reserved-memory` with these.
pub fn reserved(children: impl IntoIterator<Item = Node>) -> Node {
    let props = [
        ("#address-cells", cells(&[2])),
        ("#size-cells", cells(&[2])),
        ("ranges", Vec::new()),
    ];
    node("reserved-memory", &props).holding(children)
}

/// A GICv3 at these places.
pub fn gic_v3(distributor: u64, redistributors: u64) -> Node {
    node(
        &format!("intc@{distributor:x}"),
        &[
            ("compatible", text("arm,gic-v3")),
            ("interrupt-controller", Vec::new()),
            ("#interrupt-cells", cells(&[3])),
            ("phandle", cells(&[1])),
            ("#redistributor-regions", cells(&[1])),
            ("reg", wide(&[distributor, 0x1_0000, redistributors, 0xf6_0000])),
        ],
    )
}

impl Parts {
    /// As QEMU describes the machine, but for devices that no kernel needs to start.
    pub fn usual(bootargs: &str) -> Self {
        let interrupts = [[1, 13, 4], [1, 14, 4], [1, 11, 4], [1, 10, 4]].concat();
        let uart = format!("pl011@{UART:x}");
        Self {
            root: vec![
                ("#address-cells", cells(&[2])),
                ("#size-cells", cells(&[2])),
                ("compatible", text("linux,dummy-virt")),
                ("interrupt-parent", cells(&[1])),
            ],
            chosen: node(
                "chosen",
                &[
                    ("bootargs", text(bootargs)),
                    ("stdout-path", text(&format!("/{uart}"))),
                ],
            ),
            memory: vec![memory(0x4000_0000, 0x1000_0000)],
            cpus: cpus((0..4).map(cpu)),
            psci: Some(node(
                "psci",
                &[
                    (
                        "compatible",
                        [text("arm,psci-1.0"), text("arm,psci-0.2")].concat(),
                    ),
                    ("method", text("hvc")),
                ],
            )),
            gic: vec![gic_v3(GICD, GICR)],
            timer: Some(node(
                "timer",
                &[
                    ("compatible", text("arm,armv8-timer")),
                    ("interrupts", cells(&interrupts)),
                    ("always-on", Vec::new()),
                ],
            )),
            uart: Some(node(
                &uart,
                &[
                    ("compatible", [text("arm,pl011"), text("arm,primecell")].concat()),
                    ("reg", wide(&[UART, 0x1000])),
                    ("interrupts", cells(&[0, 1, 4])),
                ],
            )),
            more: Vec::new(),
            reservations: Vec::new(),
        }
    }

    /// The blob.
    pub fn blob(&self) -> Vec<u8> {
        let mut tree = DeviceTree::new();
        let mut root = node("", &self.root);
        root.children.push(self.chosen.clone());
        root.children.extend(self.memory.iter().cloned());
        root.children.push(self.cpus.clone());
        root.children.extend(self.psci.clone());
        root.children.extend(self.timer.clone());
        root.children.extend(self.gic.iter().cloned());
        root.children.extend(self.uart.clone());
        root.children.extend(self.more.iter().cloned());
        tree.root = root.build();
        let reservations = self.reservations.iter();
        tree.memory_reservations
            .extend(reservations.map(|&(start, len)| MemoryReservation::new(start, len)));
        tree.to_dtb()
    }

    /// The tree, if a kernel must make the usual of it.
    pub fn odd(&self) -> Odd {
        let blob = self.blob();
        let own = BLOB_AT..BLOB_AT + blob.len() as u64;
        Odd {
            blob,
            error: None,
            cpus: vec![0, 1, 2, 3],
            bad: 0,
            disabled: 0,
            free: vec![IMAGE_AT..IMAGE_AT + 0x20_0000, 0x4a00_0000..0x4f00_0000],
            held: vec![own],
            frequency: None,
            gic: Some(GICD),
            console: Some(UART),
        }
    }
}
