//! The `psci` node (DEN0022; Linux's `Documentation/devicetree/bindings/arm/psci.yaml`).

use super::{
    Conduit, FdtInfo, Psci, PsciIds,
    cells::{string, strings, u32_at},
    node::{Node, properties},
};
use crate::present::Present;

pub(super) fn read(node: &Node<'_>, info: &mut FdtInfo) {
    // The best version named counts: a node may list 1.0, 0.2 and 0.1 at once.
    let Some(version) = strings(node.props.compatible).filter_map(version).max() else {
        return;
    };
    let (mut conduit, mut ids) = (None, PsciIds::default());
    for (name, value) in properties(node.raw) {
        match name {
            "method" => conduit = string(value).and_then(conduit_named),
            "cpu_suspend" => ids.cpu_suspend = u32_at(value, 0),
            "cpu_off" => ids.cpu_off = u32_at(value, 0),
            "cpu_on" => ids.cpu_on = u32_at(value, 0),
            "migrate" => ids.migrate = u32_at(value, 0),
            _ => {}
        }
    }
    info.psci = conduit
        .map(|conduit| Psci {
            conduit,
            version,
            ids,
            present: Present::Yes,
        })
        .or(info.psci);
}

fn version(compatible: &[u8]) -> Option<(u8, u8)> {
    match compatible {
        b"arm,psci-1.0" => Some((1, 0)),
        b"arm,psci-0.2" => Some((0, 2)),
        b"arm,psci" => Some((0, 1)),
        _ => None,
    }
}

fn conduit_named(method: &str) -> Option<Conduit> {
    match method {
        "hvc" => Some(Conduit::Hvc),
        "smc" => Some(Conduit::Smc),
        _ => None,
    }
}
