//! A node with its properties gathered, and the bus it sits on.

use core::iter;

use ::fdt::{helpers::UnalignedFallibleNode, nodes::NodeName};

use super::{
    Region,
    cells::{joined, number, regions, strings, u32_at},
};

/// The parser's node. Unaligned: a blob may lie anywhere.
pub(super) type Raw<'a> = UnalignedFallibleNode<'a>;

/// Larger counts than this are nonsense and are read as "none".
const MAX_CELLS: usize = 4;

/// The properties the walk looks at, gathered in one pass over the node.
#[derive(Clone, Copy, Default)]
pub(super) struct Props<'a> {
    pub address_cells: Option<usize>,
    pub size_cells: Option<usize>,
    pub compatible: &'a [u8],
    pub device_type: &'a [u8],
    pub status: Option<&'a [u8]>,
    pub reg: &'a [u8],
    pub ranges: Option<&'a [u8]>,
    pub interrupts: &'a [u8],
    pub enable_method: &'a [u8],
    pub release_addr: Option<u64>,
    pub interrupt_parent: Option<u32>,
    pub phandle: Option<u32>,
}

impl<'a> Props<'a> {
    fn gather(raw: Raw<'a>) -> Self {
        let mut props = Self::default();
        for (name, value) in properties(raw) {
            props.take(name, value);
        }
        props
    }

    fn take(&mut self, name: &str, value: &'a [u8]) {
        let count = || u32_at(value, 0).map(|n| n as usize).filter(|&n| n <= MAX_CELLS);
        match name {
            "#address-cells" => self.address_cells = count(),
            "#size-cells" => self.size_cells = count(),
            "compatible" => self.compatible = value,
            "device_type" => self.device_type = value,
            "status" => self.status = Some(value),
            "reg" => self.reg = value,
            "ranges" => self.ranges = Some(value),
            "interrupts" => self.interrupts = value,
            "enable-method" => self.enable_method = value,
            "cpu-release-addr" => self.release_addr = number(value),
            "interrupt-parent" => self.interrupt_parent = u32_at(value, 0),
            "phandle" | "linux,phandle" => self.phandle = u32_at(value, 0),
            _ => {}
        }
    }
}

/// All properties of a node, up to the first that cannot be read.
pub(super) fn properties(raw: Raw<'_>) -> impl Iterator<Item = (&str, &[u8])> {
    // An unreadable item would be yielded again for ever: stop at it.
    let mut all = raw.properties().ok().map(|p| p.iter());
    iter::from_fn(move || all.as_mut()?.next()?.ok()).map(|p| (p.name, p.value))
}

/// The bus a node sits on: how its addresses are written and what they mean further up.
#[derive(Clone, Copy)]
pub(super) struct Bus<'b> {
    parent: Option<&'b Bus<'b>>,
    /// `ranges` of the bus node; `None` at the root, whose addresses are the CPU's.
    ranges: Option<&'b [u8]>,
    pub address_cells: usize,
    pub size_cells: usize,
    /// Inherited `interrupt-parent`.
    pub interrupt_parent: Option<u32>,
}

impl Bus<'_> {
    /// The address a CPU uses for what is `region` on this bus; `None` where there is no way.
    pub fn cpu_view(&self, region: Region) -> Option<Region> {
        let Some(parent) = self.parent else {
            return Some(region);
        };
        let ranges = self.ranges?;
        if ranges.is_empty() {
            return parent.cpu_view(region);
        }
        let entry = (self.address_cells + parent.address_cells + self.size_cells) * 4;
        let base = ranges
            .chunks_exact(entry.max(4))
            .find_map(|e| self.map_one(parent, e, region))?;
        parent.cpu_view(Region { base, ..region })
    }

    fn map_one(&self, parent: &Bus<'_>, entry: &[u8], region: Region) -> Option<u64> {
        let child = joined(entry, self.address_cells)?;
        let up = joined(entry.get(self.address_cells * 4..)?, parent.address_cells)?;
        let len = joined(
            entry.get((self.address_cells + parent.address_cells) * 4..)?,
            self.size_cells,
        )?;
        let offset = region.base.checked_sub(child)?;
        let fits = offset.checked_add(region.len)? <= len;
        if fits { up.checked_add(offset) } else { None }
    }
}

/// A node of the tree.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub raw: Raw<'a>,
    pub name: NodeName<'a>,
    pub props: Props<'a>,
}

impl<'a> Node<'a> {
    pub fn new(raw: Raw<'a>) -> Option<Self> {
        Some(Self {
            name: raw.name().ok()?,
            props: Props::gather(raw),
            raw,
        })
    }

    /// The node's children, up to the first that cannot be read.
    pub fn children(&self) -> impl Iterator<Item = Self> + use<'a> {
        let mut all = self.raw.children().ok().map(|c| c.iter());
        iter::from_fn(move || Self::new(all.as_mut()?.next()?.ok()?))
    }

    /// A property that is not among those gathered.
    pub fn property(&self, name: &str) -> Option<&'a [u8]> {
        properties(self.raw)
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
    }

    pub fn is_compatible(&self, with: &[&[u8]]) -> bool {
        strings(self.props.compatible).any(|c| with.contains(&c))
    }

    /// `status` is absent or says that the device may be used.
    pub fn is_available(&self) -> bool {
        self.props.status.is_none_or(|s| matches!(s, b"okay\0" | b"ok\0"))
    }

    /// The bus that this node is for its children.
    pub fn bus<'b>(&'b self, parent: Option<&'b Bus<'b>>) -> Bus<'b> {
        Bus {
            parent,
            ranges: self.props.ranges,
            // The specification's defaults: 2 and 1, not inherited.
            address_cells: self.props.address_cells.unwrap_or(2),
            size_cells: self.props.size_cells.unwrap_or(1),
            interrupt_parent: self
                .props
                .interrupt_parent
                .or(parent.and_then(|p| p.interrupt_parent)),
        }
    }

    /// `reg` as the CPU sees it; entries without a way to the CPU are left out.
    pub fn regions<'b>(&self, bus: &'b Bus<'b>) -> impl Iterator<Item = Region> + use<'a, 'b> {
        regions(self.props.reg, bus.address_cells, bus.size_cells).filter_map(|r| bus.cpu_view(r))
    }

    /// The interrupt parent that holds for this node.
    pub fn interrupt_parent(&self, bus: &Bus<'_>) -> Option<u32> {
        self.props.interrupt_parent.or(bus.interrupt_parent)
    }

    /// The child that `name` of a path means; the unit address may be left out.
    pub fn child(&self, name: &str) -> Option<Self> {
        let (base, unit) = name
            .split_once('@')
            .map_or((name, None), |(base, unit)| (base, Some(unit)));
        let is_it = |n: NodeName<'_>| n.name == base && (unit.is_none() || n.unit_address == unit);
        let mut all = self.raw.children().ok()?.iter();
        // Names first: properties are worth gathering for the one child only.
        let found = iter::from_fn(|| all.next()?.ok()).find(|raw| raw.name().is_ok_and(is_it))?;
        Self::new(found)
    }
}
