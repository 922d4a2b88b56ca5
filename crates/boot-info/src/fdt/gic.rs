//! The interrupt controller, what its interrupt cells mean, and the timer that uses them.

use super::{
    FdtInfo, Gic, GicVersion, Interrupt, Timer,
    cells::{number, u32_at},
    node::{Bus, Node},
    walk::Found as Walk,
};
use crate::present::Present;

const GIC_V3: &[&[u8]] = &[b"arm,gic-v3"];
const GIC_V2: &[&[u8]] = &[
    b"arm,gic-400",
    b"arm,cortex-a15-gic",
    b"arm,cortex-a9-gic",
    b"arm,cortex-a7-gic",
    b"arm,pl390",
    b"arm,gic",
];
const TIMER: &[&[u8]] = &[b"arm,armv8-timer", b"arm,armv7-timer"];

/// What decoding interrupts needs to know about the controller.
pub(super) struct Found {
    phandle: Option<u32>,
    cells: usize,
}

/// Interrupts of a node before the controller is known.
#[derive(Clone, Copy)]
pub(super) struct RawInterrupts<'a> {
    bytes: &'a [u8],
    parent: Option<u32>,
}

impl<'a> RawInterrupts<'a> {
    pub fn of(node: &Node<'a>, bus: &Bus<'_>) -> Self {
        Self {
            bytes: node.props.interrupts,
            parent: node.interrupt_parent(bus),
        }
    }

    /// The `index`-th interrupt, if it goes to `gic`.
    pub fn decode(&self, index: usize, gic: Option<&Found>) -> Option<Interrupt> {
        let gic = gic?;
        if self.parent != gic.phandle && self.parent.is_some() {
            return None;
        }
        let cells = self.bytes.get(index * gic.cells * 4..)?;
        let (kind, number, flags) = (u32_at(cells, 0)?, u32_at(cells, 1)?, u32_at(cells, 2)?);
        let (base, limit) = match kind {
            0 => (32, 988),
            1 => (16, 16),
            2 => (4096, 1024),
            3 => (1056, 64),
            _ => return None,
        };
        // Bits 3:0 are the trigger: 1 and 2 are the edges, 4 and 8 the levels.
        (number < limit).then(|| Interrupt {
            intid: base + number,
            edge: flags & 3 != 0,
        })
    }
}

pub(super) fn read(node: &Node<'_>, bus: &Bus<'_>, info: &mut FdtInfo, walk: &mut Walk<'_>) {
    let version = match node {
        _ if node.is_compatible(GIC_V3) => GicVersion::V3,
        _ if node.is_compatible(GIC_V2) => GicVersion::V2,
        _ => return,
    };
    if info.gic.is_some() {
        return;
    }
    let count = node
        .property("#redistributor-regions")
        .and_then(|v| u32_at(v, 0))
        .unwrap_or(1);
    let cells = node
        .property("#interrupt-cells")
        .and_then(|v| u32_at(v, 0))
        .unwrap_or(3);
    info.gic = Some(Gic {
        version,
        regions: node.regions(bus).take(super::MAX_GIC_REGIONS).collect(),
        redistributor_regions: count as usize,
        redistributor_stride: node.property("redistributor-stride").and_then(number),
        present: Present::Yes,
    });
    // Three cells are the binding's minimum; a fourth names a CPU partition.
    walk.gic = Some(Found {
        phandle: node.props.phandle,
        cells: (cells as usize).clamp(3, 4),
    });
}

pub(super) fn timer<'a>(node: &Node<'a>, bus: &Bus<'_>, walk: &mut Walk<'a>) {
    if walk.timer.is_none() && node.is_compatible(TIMER) {
        let timer = Timer {
            clock_frequency: node.property("clock-frequency").and_then(|v| u32_at(v, 0)),
            always_on: node.property("always-on").is_some(),
            ..Timer::default()
        };
        walk.timer = Some((RawInterrupts::of(node, bus), timer));
    }
}

/// The order of the interrupts is the binding's: secure, non-secure, virtual, hypervisor.
pub(super) fn decode_timer(raw: &RawInterrupts<'_>, timer: Timer, gic: Option<&Found>) -> Timer {
    Timer {
        secure: raw.decode(0, gic),
        physical: raw.decode(1, gic),
        virt: raw.decode(2, gic),
        hypervisor: raw.decode(3, gic),
        hypervisor_virt: raw.decode(4, gic),
        ..timer
    }
}
