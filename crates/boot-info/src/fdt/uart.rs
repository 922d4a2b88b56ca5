//! The console's UART: from `stdout-path`, perhaps through `/aliases`, to a node.

use super::{
    Uart,
    cells::{string, u32_at},
    gic::RawInterrupts,
    node::{Bus, Node},
    walk::Found,
};
use crate::{Console, ConsoleKind, present::Present};

const PL011: &[&[u8]] = &[b"arm,pl011", b"arm,sbsa-uart"];
const NS16550: &[&[u8]] = &[b"ns16550a", b"ns16550", b"snps,dw-apb-uart", b"ns8250"];

pub(super) fn find(root: Node<'_>, levels: usize, found: &Found<'_>) -> Option<Uart> {
    let stdout = found.chosen.stdout?;
    let (path, options) = stdout.split_once(':').unwrap_or((stdout, ""));
    let path = match path.strip_prefix('/') {
        Some(_) => path,
        None => string(found.aliases.as_ref()?.property(path)?)?,
    };
    let mut at_end = |node: &Node<'_>, bus: &Bus<'_>| read(node, bus, found, baud(options));
    descend(root, None, levels, path.strip_prefix('/')?, &mut at_end)
}

/// Follows `path` from `node`, at most `levels` deep. By recursion, since each level's bus borrows
/// the one above.
fn descend(
    node: Node<'_>,
    above: Option<&Bus<'_>>,
    levels: usize,
    path: &str,
    at_end: &mut dyn FnMut(&Node<'_>, &Bus<'_>) -> Option<Uart>,
) -> Option<Uart> {
    let bus = node.bus(above);
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let child = node.child(name)?;
    match levels.checked_sub(1)? {
        _ if rest.is_empty() => at_end(&child, &bus),
        levels => descend(child, Some(&bus), levels, rest, at_end),
    }
}

fn read(node: &Node<'_>, bus: &Bus<'_>, found: &Found<'_>, baud: Option<u32>) -> Option<Uart> {
    let region = node.regions(bus).next()?;
    let kind = match node {
        _ if node.is_compatible(PL011) => ConsoleKind::Pl011,
        _ if node.is_compatible(NS16550) => ConsoleKind::Ns16550,
        _ => ConsoleKind::Unknown,
    };
    let shift = node.property("reg-shift").and_then(|v| u32_at(v, 0)).unwrap_or(0);
    Some(Uart {
        console: Console {
            kind,
            base: region.base,
            len: region.len,
            reg_shift: shift.min(16) as u8,
            baud,
            present: Present::Yes,
        },
        interrupt: RawInterrupts::of(node, bus).decode(0, found.gic.as_ref()),
        clock_frequency: node.property("clock-frequency").and_then(|v| u32_at(v, 0)),
        present: Present::Yes,
    })
}

/// Options look like `115200n8`.
fn baud(options: &str) -> Option<u32> {
    let digits = options
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(options.len());
    options[..digits].parse().ok()
}
